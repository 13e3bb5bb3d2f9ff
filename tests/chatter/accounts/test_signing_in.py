"""Signing up and in: who gets a session, and who is told what."""

import asyncio
import time

import pytest

from chatter.accounts.accounts import Accounts
from chatter.accounts.passwords import Passwords
from chatter.accounts.values import Device
from tests.chatter.accounts.conftest import AWAY, HOME, PASSWORD, People, reason, refused
from tests.support.database import query


def test_who_signs_up_is_signed_in(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, "Ann", device=HOME)
        assert (ann.principal.kind, ann.principal.role, ann.principal.name) == ("person", "member", "Ann")
        assert ann.principal.author is not None
        assert ann.principal.author.handle == "ann"
        assert await accounts.identities.identify(ann.session) == ann.principal
        again = await accounts.signing_in.sign_in("@Ann", PASSWORD, device=AWAY)
        assert again.principal.author == ann.principal.author
        assert again.session != ann.session

    people.run(scenario)


@pytest.mark.parametrize("handle", ["ann", "ANN", "b0b", "a.n.n"])
def test_a_handle_that_looks_like_another_is_taken(people: People, handle: str) -> None:
    async def scenario(accounts: Accounts) -> None:
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        await accounts.signing_in.sign_up("bob", PASSWORD, device=HOME)
        assert await reason(accounts.signing_in.sign_up(handle, PASSWORD, device=HOME)) == "handle_taken"

    people.run(scenario)


def test_two_who_take_a_handle_at_once_do_not_both_get_it(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        tries = [accounts.signing_in.sign_up("ann", PASSWORD, device=HOME) for _ in range(5)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(getattr(answer, "reason", "") for answer in answers) == ["", *4 * ["handle_taken"]]

    people.run(scenario)


@pytest.mark.parametrize(
    ("handle", "password", "name", "field"),
    [
        ("a", PASSWORD, None, "handle"),
        ("ann.", PASSWORD, None, "handle"),
        ("ännchen", PASSWORD, None, "handle"),
        ("ann", "short", None, "password"),
        ("ann", "x" * 257, None, "password"),
        ("ann", "password12", None, "password"),  # many have it
        ("anna-marie.x", "Anna Marie X", None, "password"),
        ("ann", PASSWORD, "", "name"),
        ("ann", PASSWORD, "...", "name"),
        ("ann", PASSWORD, "bo (guest)", "name"),
        ("ann", PASSWORD, "x" * 65, "name"),
    ],
)
def test_what_cannot_be_is_refused_with_the_field(
    people: People, handle: str, password: str, name: str | None, field: str
) -> None:
    async def scenario(accounts: Accounts) -> None:
        error = await refused(accounts.signing_in.sign_up(handle, password, name, device=HOME))
        assert (error.reason, error.field) == ("invalid", field)

    people.run(scenario)


def test_a_wrong_password_and_an_unknown_handle_get_one_answer(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        answers = [
            await refused(accounts.signing_in.sign_in(handle, "not the password", device=AWAY))
            for _ in range(8)
            for handle in ("ann", "nobody")
        ]
        shown = [(error.reason, error.field, error.retry_after_ms, str(error)) for error in answers]
        assert shown[::2] == shown[1::2]
        assert shown[0][2] is None
        assert shown[-1][2] == 60_000

    people.run(scenario)


def test_an_unknown_handle_costs_as_much_work_as_a_wrong_password() -> None:
    async def scenario() -> None:
        passwords = Passwords(10)
        stored = await passwords.hash(PASSWORD)
        spent = {stored: 0.0, None: 0.0}
        for known in 5 * [stored, None]:  # in turn, since other programs slow down both then
            before = time.process_time()
            assert not await passwords.verify(known, "not the password")
            spent[known] += time.process_time() - before
        passwords.close()
        assert 0.5 < spent[None] / spent[stored] < 2

    asyncio.run(scenario())


def test_whoever_guesses_500_times_does_not_keep_the_owner_out(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        guesses = [accounts.signing_in.sign_in("ann", f"guess number {number}", device=AWAY) for number in range(499)]
        answers = await asyncio.gather(*guesses, return_exceptions=True)
        assert {getattr(answer, "reason", None) for answer in answers} == {"wrong"}
        right = await refused(accounts.signing_in.sign_in("ann", PASSWORD, device=AWAY))  # not even then
        assert (right.reason, right.retry_after_ms) == ("wrong", 60_000)
        owner = await accounts.signing_in.sign_in("ann", PASSWORD, device=HOME._replace(known=None))
        assert owner.principal.author is not None

    people.run(scenario)


def test_a_known_device_signs_in_while_all_networks_guess(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        for number in range(20):
            device = Device(f"198.51.100.{number}")
            assert (
                await refused(accounts.signing_in.sign_in("ann", "guessed wrong", device=device))
            ).retry_after_ms is None
        stranger = await refused(accounts.signing_in.sign_in("ann", PASSWORD, device=Device("203.0.113.9")))
        assert (stranger.reason, stranger.retry_after_ms) == ("wrong", 180_000)
        known = await accounts.signing_in.sign_in("ann", PASSWORD, device=Device("203.0.113.9", known=ann.device))
        assert known.device == ann.device
        people.clock.move(181)
        await accounts.signing_in.sign_in("ann", PASSWORD, device=Device("203.0.113.9"))

    people.run(scenario)


def test_a_known_device_signs_in_while_its_network_guesses(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        for number in range(30):
            await refused(
                accounts.signing_in.sign_in(f"somebody{number}", "guessed wrong", device=HOME._replace(known=None))
            )
        stranger = await refused(accounts.signing_in.sign_in("ann", PASSWORD, device=HOME._replace(known=None)))
        assert (stranger.reason, stranger.retry_after_ms) == ("wrong", 20_000)
        await accounts.signing_in.sign_in("ann", PASSWORD, device=HOME._replace(known=ann.device))

    people.run(scenario)


def test_a_network_tries_thirty_accounts_and_then_waits(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        for number in range(30):
            error = await refused(accounts.signing_in.sign_in(f"somebody{number}", "guessed wrong", device=AWAY))
            assert error.retry_after_ms is None
        assert (
            await refused(accounts.signing_in.sign_in("another", "guessed wrong", device=AWAY))
        ).retry_after_ms == 20_000
        assert await reason(accounts.signing_in.sign_in("another", "guessed wrong", device=HOME)) == "wrong"

    people.run(scenario)


def test_the_right_password_is_not_counted(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        for _ in range(40):
            await accounts.signing_in.sign_in("ann", PASSWORD, device=AWAY)

    people.run(scenario)


def test_more_passwords_than_can_wait_are_refused_as_busy() -> None:
    async def scenario() -> None:
        passwords = Passwords(10, memory=64)
        answers = await asyncio.gather(*(passwords.verify(None, "any") for _ in range(60)), return_exceptions=True)
        passwords.close()
        assert [getattr(answer, "reason", None) for answer in answers].count("busy") == 8

    asyncio.run(scenario())


def test_the_loop_goes_on_while_passwords_are_hashed() -> None:
    async def scenario() -> None:
        passwords = Passwords(10, memory=60_000)  # a tenth of a second of two cores
        hashing = asyncio.gather(*(passwords.hash(PASSWORD) for _ in range(2)))
        turns = 0
        while not hashing.done():
            turns += 1
            await asyncio.sleep(0)
        await hashing
        passwords.close()
        assert turns > 100

    asyncio.run(scenario())


def test_a_password_is_hashed_again_when_the_cost_has_changed(people: People) -> None:
    stored = "SELECT password FROM account"

    async def sign_up(accounts: Accounts) -> None:
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)

    async def sign_in(accounts: Accounts) -> None:
        await accounts.signing_in.sign_in("ann", PASSWORD, device=HOME)
        assert "m=128," in query(people.url, stored)[0][0]
        await accounts.signing_in.sign_in("ann", PASSWORD, device=HOME)

    people.run(sign_up)
    assert "m=64," in query(people.url, stored)[0][0]
    people.run(sign_in, passwords=Passwords(10, memory=128))


def test_a_suspended_account_is_told_so_only_with_its_password(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        await accounts.suspend("ann")
        assert await accounts.identities.identify(ann.session) is None
        assert await reason(accounts.signing_in.sign_in("ann", "guessed wrong", device=HOME)) == "wrong"
        assert await reason(accounts.signing_in.sign_in("ann", PASSWORD, device=HOME)) == "suspended"
        await accounts.resume("ann")
        assert await accounts.identities.identify(ann.session) is None
        await accounts.signing_in.sign_in("ann", PASSWORD, device=HOME)

    people.run(scenario)


def test_an_invite_makes_as_many_accounts_as_it_has_uses(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        assert people.setup_link is not None
        admin = await accounts.signing_in.redeem(people.setup_link, handle="root", password=PASSWORD, device=HOME)
        assert admin.principal.author is not None
        made = await accounts.make_invite(admin.principal.author.id, room="den", uses=2, role="moderator")
        shown = await accounts.signing_in.may_sign_up(made.text, "192.0.2.1")
        assert shown is not None
        assert shown.room == "den"
        typed = f" {made.text[:5].upper()}-{made.text[5:]} "
        first = await accounts.signing_in.sign_up("ann", PASSWORD, invite=typed, device=HOME)
        assert first.principal.role == "moderator"
        assert await reason(accounts.signing_in.sign_up("root", PASSWORD, invite=typed, device=HOME)) == "handle_taken"
        await accounts.signing_in.sign_up("bob", PASSWORD, invite=typed, device=HOME)
        assert await reason(accounts.signing_in.sign_up("cyd", PASSWORD, invite=typed, device=HOME)) == "invite"
        assert await reason(accounts.signing_in.sign_up("cyd", PASSWORD, device=HOME)) == "invite"
        assert await accounts.invites(None) == []

    people.run(scenario, sign_up="invite")


def test_codes_of_invites_are_guessed_no_faster_than_that(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        answers = [
            await refused(accounts.signing_in.may_sign_up(f"guess{number}", "192.0.2.9")) for number in range(21)
        ]
        assert {error.reason for error in answers} == {"invite"}
        assert [error.retry_after_ms for error in answers[-2:]] == [None, 30_000]

    people.run(scenario)


def test_nobody_signs_up_where_that_is_closed(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        assert await reason(accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)) == "sign_up_closed"
        assert await reason(accounts.signing_in.may_sign_up(None, "192.0.2.1")) == "sign_up_closed"

    people.run(scenario, sign_up="closed")


def test_a_member_invites_after_three_days_and_twenty_times_a_day(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert ann.principal.author is not None
        number = ann.principal.author.id
        assert await reason(accounts.make_invite(number)) == "forbidden"
        people.clock.move(3 * 86_400)
        for _ in range(20):
            await accounts.make_invite(number)
        assert await reason(accounts.make_invite(number)) == "full"
        assert await reason(accounts.make_invite(number, role="admin")) == "forbidden"
        first = (await accounts.invites(number))[0]
        await accounts.end_invite(number, first.id)
        assert await reason(accounts.end_invite(number, first.id)) == "not_found"
        people.clock.move(86_401)
        await accounts.make_invite(number)

    people.run(scenario)
