"""Tickets count once, for a short time, and only with what they are bound to."""

import pytest

from web.identity import tickets
from web.identity.tickets import TicketRefused, Tickets


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_ticket_carries_what_it_was_told_and_counts_once() -> None:
    made = Tickets(600)
    ticket = made.issue(b"told", bound_to="browser")
    assert made.redeem(ticket, bound_to="browser") == b"told"
    with pytest.raises(TicketRefused, match="used before"):
        made.redeem(ticket, bound_to="browser")


def test_a_ticket_of_another_browser_is_refused_and_still_counts_in_its_own() -> None:
    made = Tickets(600)
    ticket = made.issue(b"", bound_to="one")
    with pytest.raises(TicketRefused, match="not one of ours"):
        made.redeem(ticket, bound_to="other")
    assert made.redeem(ticket, bound_to="one") == b""


@pytest.mark.parametrize("length", [0, 1, 31, 32, 55, 56])
def test_what_is_no_ticket_is_refused(length: int) -> None:
    with pytest.raises(TicketRefused, match="not one of ours"):
        Tickets(600).redeem(bytes(length))


def test_a_ticket_that_was_changed_or_made_elsewhere_is_refused() -> None:
    made = Tickets(600)
    ticket = made.issue(b"account 1")
    for forged in (ticket.replace(b"1", b"2"), bytes([ticket[0] ^ 1]) + ticket[1:], Tickets(600).issue(b"account 1")):
        with pytest.raises(TicketRefused, match="not one of ours"):
            made.redeem(forged)


def test_a_ticket_ends_after_its_time() -> None:
    clock = Clock()
    made = Tickets(600, clock)
    ticket, later = made.issue(b""), made.issue(b"later")
    clock.now = 599.9
    assert made.redeem(later) == b"later"
    clock.now = 600.0
    with pytest.raises(TicketRefused, match="expired"):
        made.redeem(ticket)


def test_used_tickets_are_remembered_in_bounds_and_until_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MAX_USED", 2)
    clock = Clock()
    made = Tickets(600, clock)
    first, second, third = (made.issue(b"") for _ in range(3))
    made.redeem(first)
    made.redeem(second)
    with pytest.raises(TicketRefused, match="too many"):
        made.redeem(third)
    clock.now = 600.0
    assert made.redeem(made.issue(b"fresh")) == b"fresh"


def test_what_is_derived_belongs_to_the_ticket_its_purpose_and_its_browser() -> None:
    made = Tickets(600)
    ticket, other = made.issue(b""), made.issue(b"")
    nonce = made.derive("nonce", ticket, bound_to="a")
    assert nonce == made.derive("nonce", ticket, bound_to="a")
    others = [
        made.derive("verifier", ticket, bound_to="a"),
        made.derive("nonce", other, bound_to="a"),
        made.derive("nonce", ticket, bound_to="b"),
        Tickets(600).derive("nonce", ticket, bound_to="a"),
    ]
    assert nonce not in others
    assert len(set(others)) == 4
