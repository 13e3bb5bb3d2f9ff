"""What a browser sends counts if it is what it was asked for: once, in time, here, for this person."""

import asyncio
import copy
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.support.authenticator import Authenticator, text
from web.identity import passkeys
from web.identity.passkeys import (
    KnownPasskey,
    MadePasskey,
    PasskeyRefused,
    Passkeys,
    PasskeysBusy,
    Person,
    RelyingParty,
    Shown,
    credential_of,
)

PARTY = RelyingParty("chat.example.org", "https://chat.example.org")
ANN = Person(1, "ann", "Ann", None)

run = asyncio.run


def authenticator(sign_count: int = 0) -> Authenticator:
    return Authenticator(PARTY.origin, PARTY.id, sign_count=sign_count)


async def add(ceremony: Passkeys, key: Authenticator, person: Person = ANN) -> KnownPasskey:
    new = await ceremony.added(PARTY, person.account, key.make(ceremony.options_to_add(PARTY, person, [])))
    return KnownPasskey(new.credential, new.user_handle, new.public_key, new.sign_count)


def test_a_passkey_is_made_and_signs_in() -> None:
    async def both() -> tuple[MadePasskey, Shown]:
        ceremony, key = Passkeys(), authenticator()
        new = await ceremony.added(PARTY, 1, key.make(ceremony.options_to_add(PARTY, ANN, [])))
        known = KnownPasskey(new.credential, new.user_handle, new.public_key, new.sign_count)
        sent = key.show(ceremony.options_to_show(PARTY))
        assert credential_of(sent) == new.credential
        return new, await ceremony.shown(PARTY, known, sent)

    new, shown = run(both())
    assert (new.sign_count, new.transports, new.backed_up) == (0, ("internal",), False)
    assert shown == Shown(0, backed_up=False)


def test_what_a_browser_is_asked_for() -> None:
    ceremony = Passkeys()
    options = ceremony.options_to_add(PARTY, ANN, [("abc", ["usb"])])
    assert options["rp"]["id"] == "chat.example.org"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "preferred"
    assert options["excludeCredentials"] == [{"type": "public-key", "id": "abc", "transports": ["usb"]}]
    assert options["timeout"] == 300_000
    asked = ceremony.options_to_show(PARTY)
    assert (asked["rpId"], asked["allowCredentials"], asked["userVerification"]) == (PARTY.id, [], "preferred")
    assert asked["challenge"] != ceremony.options_to_show(PARTY)["challenge"]


def test_all_passkeys_of_a_person_have_one_user_handle_which_says_nothing() -> None:
    ceremony = Passkeys()
    first = ceremony.options_to_add(PARTY, ANN, [])["user"]["id"]
    assert len(first) == 43
    assert first != ceremony.options_to_add(PARTY, ANN, [])["user"]["id"]
    assert ceremony.options_to_add(PARTY, ANN._replace(user_handle=first), [])["user"]["id"] == first


@pytest.mark.parametrize(("known", "shown"), [(0, 0), (0, 1), (5, 6), (5, 900)])
def test_a_count_may_stay_zero_or_grow(known: int, shown: int) -> None:
    assert run(_count(known, shown)).sign_count == shown


@pytest.mark.parametrize(("known", "shown"), [(5, 5), (5, 4), (5, 0), (1, 1)])
def test_a_count_that_falls_or_stands_is_refused(known: int, shown: int) -> None:
    with pytest.raises(PasskeyRefused, match="sign count"):
        run(_count(known, shown))


async def _count(known: int, shown: int) -> Shown:
    ceremony, key = Passkeys(), authenticator()
    remembered = (await add(ceremony, key))._replace(sign_count=known)
    key.sign_count = shown
    return await ceremony.shown(PARTY, remembered, key.show(ceremony.options_to_show(PARTY)))


# ---------------------------------------------------------------- what others may try

Attempt = Callable[[Passkeys, Authenticator], Coroutine[Any, Any, object]]


def refused(attempt: Attempt) -> str:
    with pytest.raises(PasskeyRefused) as refusal:
        run(attempt(Passkeys(), authenticator()))
    return str(refusal.value)


async def a_challenge_twice_to_sign_in(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    options = ceremony.options_to_show(PARTY)
    await ceremony.shown(PARTY, known, key.show(options))
    await ceremony.shown(PARTY, known, key.show(options))


async def a_challenge_twice_to_add(ceremony: Passkeys, key: Authenticator) -> None:
    sent = key.make(ceremony.options_to_add(PARTY, ANN, []))
    await ceremony.added(PARTY, 1, sent)
    await ceremony.added(PARTY, 1, sent)


async def a_challenge_of_another_server(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    await ceremony.shown(PARTY, known, key.show(Passkeys().options_to_show(PARTY)))


async def a_challenge_of_another_name(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    other = RelyingParty("other.example.org", "https://other.example.org")
    await ceremony.shown(PARTY, known, key.show(ceremony.options_to_show(other)))


async def a_challenge_for_somebody_else(ceremony: Passkeys, key: Authenticator) -> None:
    await ceremony.added(PARTY, 2, key.make(ceremony.options_to_add(PARTY, ANN, [])))


async def a_challenge_to_sign_in_that_adds(ceremony: Passkeys, key: Authenticator) -> None:
    options = ceremony.options_to_add(PARTY, ANN, [])
    await ceremony.added(PARTY, 1, key.make({**options, **ceremony.options_to_show(PARTY)}))


async def a_challenge_to_add_that_signs_in(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    await ceremony.shown(PARTY, known, key.show(ceremony.options_to_add(PARTY, ANN, [])))


async def made_where_it_should_show(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    await ceremony.shown(PARTY, known, key.make(ceremony.options_to_show(PARTY) | {"user": {"id": known.user_handle}}))


async def another_persons_passkey(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    key.user_handle = text(b"somebody else")
    await ceremony.shown(PARTY, known, key.show(ceremony.options_to_show(PARTY)))


async def another_key(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    key.key = authenticator().key
    await ceremony.shown(PARTY, known, key.show(ceremony.options_to_show(PARTY)))


async def a_page_of_another_origin_to_sign_in(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    key.origin = "https://evil.example.org"
    await ceremony.shown(PARTY, known, key.show(ceremony.options_to_show(PARTY)))


async def a_page_of_another_origin_to_add(ceremony: Passkeys, key: Authenticator) -> None:
    key.origin = "http://chat.example.org"
    await add(ceremony, key)


async def another_relying_party(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    key.rp_id = "example.org"
    await ceremony.shown(PARTY, known, key.show(ceremony.options_to_show(PARTY)))


async def nobody_present(ceremony: Passkeys, key: Authenticator) -> None:
    known = await add(ceremony, key)
    key.flags = 0
    await ceremony.shown(PARTY, known, key.show(ceremony.options_to_show(PARTY)))


@pytest.mark.parametrize(
    ("attempt", "why"),
    [
        (a_challenge_twice_to_sign_in, "used before"),
        (a_challenge_twice_to_add, "used before"),
        (a_challenge_of_another_server, "not one of ours"),
        (a_challenge_of_another_name, "not one of ours"),
        (a_challenge_for_somebody_else, "something else"),
        (a_challenge_to_sign_in_that_adds, "something else"),
        (a_challenge_to_add_that_signs_in, "something else"),
        (made_where_it_should_show, ""),
        (another_persons_passkey, "another person"),
        (another_key, "signature"),
        (a_page_of_another_origin_to_sign_in, "origin"),
        (a_page_of_another_origin_to_add, "origin"),
        (another_relying_party, "RP ID"),
        (nobody_present, "not present"),
    ],
)
def test_what_was_not_asked_for_is_refused(attempt: Attempt, why: str) -> None:
    assert why in refused(attempt)


def test_who_is_not_verified_may_sign_in() -> None:
    """`preferred` asks for it, and takes keys that cannot."""

    async def touches(ceremony: Passkeys, key: Authenticator) -> Shown:
        known = await add(ceremony, key)
        key.flags = 0x01
        return await ceremony.shown(PARTY, known, key.show(ceremony.options_to_show(PARTY)))

    run(touches(Passkeys(), authenticator()))


def test_a_challenge_ends_after_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert passkeys.CHALLENGE_LIFE == 300
    monkeypatch.setattr(passkeys, "CHALLENGE_LIFE", 0.0)
    assert "expired" in refused(add)


BROKEN: list[Callable[[dict[str, Any]], object]] = [
    lambda sent: sent.pop("response"),
    lambda sent: sent.update(response=[]),
    lambda sent: sent["response"].pop("clientDataJSON"),
    lambda sent: sent["response"].update(clientDataJSON=5),
    lambda sent: sent["response"].update(clientDataJSON="!"),
    lambda sent: sent["response"].update(clientDataJSON=text(b"[" * 10_000)),
    lambda sent: sent["response"].update(clientDataJSON=text(b"{}")),
    lambda sent: sent["response"].update(clientDataJSON=text(b'{"challenge": "\xff"}')),
    lambda sent: sent["response"].pop("authenticatorData"),
    lambda sent: sent["response"].update(authenticatorData=text(b"x")),
    lambda sent: sent["response"].update(signature=""),
    lambda sent: sent["response"].update(signature=None),
    lambda sent: sent["response"].update(userHandle={}),
    lambda sent: sent.update(rawId="x"),
    lambda sent: sent.update(type="password"),
    lambda sent: sent.update(id=None),
    lambda sent: sent.update(id="x" * 1_365),
    lambda sent: sent.update(id="a b"),
]


@pytest.mark.parametrize("breaks", BROKEN)
def test_what_is_no_answer_of_a_browser_is_refused(breaks: Callable[[dict[str, Any]], object]) -> None:
    async def sends(ceremony: Passkeys, key: Authenticator) -> None:
        known = await add(ceremony, key)
        sent = copy.deepcopy(key.show(ceremony.options_to_show(PARTY)))
        breaks(sent)
        credential_of(sent)
        await ceremony.shown(PARTY, known, sent)

    refused(sends)


def test_only_so_many_answers_are_judged_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passkeys, "MAX_CHECKS", 0)

    with pytest.raises(PasskeysBusy):
        run(add(Passkeys(), authenticator()))
