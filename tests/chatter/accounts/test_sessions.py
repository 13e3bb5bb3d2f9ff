"""Sessions, tokens and links: how long they prove something, and what ends them."""

import asyncio
import contextlib
import re
import threading
from functools import partial

import pytest

from chatter.accounts import people as transactions
from chatter.accounts.accounts import Accounts
from chatter.accounts.store import Store, TransactionQueue
from chatter.accounts.times import Moment
from chatter.accounts.values import AccountRefused, SignedIn
from schema import open_database
from tests.chatter.accounts.conftest import AWAY, HOME, PASSWORD, People, reason
from tests.support.database import query, refusing
from tests.support.server import run_to_its_end

DAY = 86_400


def number_of(signed_in: SignedIn) -> int:
    assert signed_in.principal.author is not None
    return signed_in.principal.author.id


def test_a_session_lasts_thirty_days_from_its_last_use(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        for _ in range(3):
            people.clock.move(29 * DAY)
            principal = await accounts.identities.identify(ann.session)
            assert principal is not None
            assert principal.expires_at == people.clock.monotonic() + 30 * DAY
        people.clock.move(30 * DAY + 1)
        assert accounts.identities.known(ann.session) is None
        assert await accounts.identities.identify(ann.session) is None

    people.run(scenario)


def test_a_session_lasts_as_many_days_as_the_rules_say(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        for _ in range(2):  # of which the second begins with the use
            people.clock.move(2 * DAY - 1)
            assert await accounts.identities.identify(ann.session) is not None
        people.clock.move(2 * DAY + 1)
        assert await accounts.identities.identify(ann.session) is None

    people.run(scenario, session_days=2.0)


def test_the_use_of_a_session_is_written_once_an_hour(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        seen = []
        for _ in range(3):
            people.clock.move(1_801)
            await accounts.identities.identify(ann.session)
            (session,) = await accounts.own.sessions(number_of(ann))
            seen.append(session.used_at)
        assert seen[0] < seen[1] == seen[2]

    people.run(scenario)


def test_sessions_are_listed_named_and_ended(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        first = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        others = [await accounts.signing_in.sign_in("ann", PASSWORD, device=AWAY) for _ in range(2)]
        for signed_in in (first, *others):
            assert await accounts.identities.identify(signed_in.session) is not None
        ann, kept, ended = number_of(first), first.principal.secret, others[0].principal.secret
        assert kept is not None
        assert ended is not None
        await accounts.own.name_session(ann, kept, "the phone")
        listed = {session.id: session for session in await accounts.own.sessions(ann)}
        assert (listed[kept].label, listed[kept].agent, listed[kept].network) == ("the phone", *HOME[1::-1])
        await accounts.own.end_session(ann, ended)
        assert people.changes[-1].secret == ended
        assert await accounts.identities.identify(others[0].session) is None
        assert await reason(accounts.own.end_session(ann, ended)) == "not_found"
        others_ended = await accounts.own.end_other_sessions(ann, kept)
        assert others_ended.number == 1
        assert [session.id for session in await accounts.own.sessions(ann)] == [kept]
        assert await accounts.identities.identify(first.session) is None
        assert await accounts.identities.identify(others_ended.session) == first.principal

    people.run(scenario)


def test_nobody_ends_another_accounts_session(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        bob = await accounts.signing_in.sign_up("bob", PASSWORD, device=HOME)
        assert ann.principal.secret is not None
        assert await reason(accounts.own.end_session(number_of(bob), ann.principal.secret)) == "not_found"
        assert await reason(accounts.own.end_token(number_of(ann), ann.principal.secret)) == "not_found"
        assert await accounts.identities.identify(ann.session) == ann.principal

    people.run(scenario)


def test_the_session_used_longest_ago_makes_place_for_the_101st(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        for _ in range(100):
            people.clock.move(1)
            last = await accounts.signing_in.sign_in("ann", PASSWORD, device=HOME)
        assert len(await accounts.own.sessions(number_of(ann))) == 100
        assert await accounts.identities.identify(ann.session) is None
        assert await accounts.identities.identify(last.session) is not None

    people.run(scenario)


def test_a_new_password_ends_all_other_sessions_and_renews_the_one_that_asks(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        here = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        there = await accounts.signing_in.sign_in("ann", PASSWORD, device=AWAY)
        assert await accounts.identities.identify(there.session) is not None
        ann, new, kept = number_of(here), "another good phrase", here.principal.secret
        assert await reason(accounts.own.change(ann, password=new, keep_session=kept)) == "wrong"
        assert (
            await reason(accounts.own.change(ann, password=new, old_password="wrong phrase", keep_session=kept))
            == "wrong"
        )
        changed = await accounts.own.change(ann, password=new, old_password=PASSWORD, keep_session=kept)
        for former in (here, there):
            assert await accounts.identities.identify(former.session) is None
        assert await accounts.identities.identify(changed.session or "") == here.principal
        assert (people.changes[-1].what, people.changes[-1].secret) == ("renewed", kept)
        assert (await accounts.own.change(ann, name="Anna", keep_session=kept)).session is None
        assert await reason(accounts.signing_in.sign_in("ann", PASSWORD, device=AWAY)) == "wrong"
        await accounts.signing_in.sign_in("ann", new, device=AWAY)

    people.run(scenario)


def test_a_stolen_session_tries_old_passwords_no_faster_than_a_stranger(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        for number in range(6):
            asked = accounts.own.change(
                number_of(ann), password="a new phrase", old_password=f"guess {number}", keep_session=1
            )
            assert await reason(asked) == "wrong"
        asked = accounts.own.change(number_of(ann), password="a new phrase", old_password=PASSWORD, keep_session=1)
        assert await reason(asked) == "wrong"

    people.run(scenario)


def test_a_token_has_its_scopes_and_its_end(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        made = await accounts.own.make_token(number_of(ann), "backup", ["read", "post"], days=7)
        assert re.fullmatch(r"cha_[A-Za-z0-9]{43}", made.text)
        principal = await accounts.identities.identify(made.text)
        assert principal is not None
        assert (principal.scopes, principal.secret) == (frozenset({"read", "post"}), made.id)
        assert [(token.label, token.scopes) for token in await accounts.own.tokens(number_of(ann))] == [
            ("backup", ("post", "read"))
        ]
        people.clock.move(6 * DAY)
        assert await accounts.identities.identify(made.text) is not None  # which makes it last no longer
        people.clock.move(DAY + 1)
        assert await accounts.identities.identify(made.text) is None
        assert await accounts.own.tokens(number_of(ann)) == []

    people.run(scenario)


def test_tokens_are_few_and_within_the_role(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = number_of(await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME))
        assert await reason(accounts.own.make_token(ann, "x", ["admin"])) == "forbidden"
        assert await reason(accounts.own.make_token(ann, "x", [])) == "invalid"
        assert await reason(accounts.own.make_token(ann, "x", ["fly"])) == "invalid"  # type: ignore[list-item]
        for _ in range(2):
            made = await accounts.own.make_token(ann, "x", ["read"])
        assert await reason(accounts.own.make_token(ann, "x", ["read"])) == "full"
        await accounts.own.end_token(ann, made.id)
        assert await accounts.identities.identify(made.text) is None
        await accounts.own.make_token(ann, "x", ["read"])

    people.run(scenario, max_tokens=2)


def test_the_first_admin_is_made_with_the_link_once(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        link = people.setup_link
        assert link is not None
        assert (await accounts.signing_in.link(link)).kind == "setup"
        tries = [accounts.signing_in.redeem(link, handle=f"root{n}", password=PASSWORD, device=HOME) for n in range(3)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        assert sorted(getattr(answer, "reason", "") for answer in answers) == ["", "gone", "gone"]
        assert [account.role for account in await accounts.accounts()] == ["admin"]
        assert await reason(accounts.signing_in.link(link)) == "gone"

    people.run(scenario, sign_up="closed")
    assert people.open_and_close().setup_link is None


def test_each_start_makes_another_link_while_there_is_no_admin(people: People) -> None:
    people.open_and_close()
    first = people.setup_link
    assert first is not None

    async def scenario(accounts: Accounts) -> None:
        assert people.setup_link != first
        assert await reason(accounts.signing_in.redeem(first, handle="root", password=PASSWORD, device=HOME)) == "gone"

    people.run(scenario)


def test_the_setup_link_is_dead_once_the_command_line_has_made_an_admin(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        assert people.setup_link is not None
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        await accounts.set_role("ann", "admin")
        assert (
            await reason(accounts.signing_in.redeem(people.setup_link, handle="x1", password=PASSWORD, device=HOME))
            == "gone"
        )

    people.run(scenario)


def test_a_new_password_by_a_link_makes_devices_unknown(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        link = await accounts.make_link("ann", "reset")
        await accounts.signing_in.redeem(link, password="another good phrase", device=AWAY)
        known = "SELECT COUNT(*) FROM secret WHERE kind = 'device' AND revoked_at IS NULL"
        assert query(people.url, known) == [(1,)]  # where the link was opened

    people.run(scenario)


def test_a_fault_in_taking_over_a_change_leaves_the_next_one_heard(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatter.accounts.change_feed.POLL_INTERVAL", 0.01)

    async def scenario(accounts: Accounts) -> None:
        heard: list[str] = []
        accounts.on_change = lambda change: heard.append(change.what)
        monkeypatch.setattr(accounts, "_on_admin", lambda: 1 / 0)
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        for change in (partial(transactions.set_role, "ann", "admin"), partial(transactions.suspend, "ann")):
            await accounts._feed._store.write(partial(change, Moment(people.clock())))  # as another program does it
        async with asyncio.timeout(30):
            while "suspended" not in heard:
                await asyncio.sleep(0.005)
        assert heard == ["created", "role", "suspended"]

    people.run(scenario)


@pytest.mark.parametrize(("kind", "seconds"), [("link", 15 * 60), ("reset", 4 * 3_600)])
def test_a_link_signs_in_once_and_in_time(people: People, kind: str, seconds: float) -> None:
    async def scenario(accounts: Accounts) -> None:
        before = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        password = "another good phrase" if kind == "reset" else None
        link = await accounts.make_link("ann", kind)  # type: ignore[arg-type]
        signed_in = await accounts.signing_in.redeem(link, password=password, device=AWAY)
        assert signed_in.principal.author == before.principal.author
        assert await reason(accounts.signing_in.redeem(link, password=password, device=AWAY)) == "gone"
        assert (await accounts.identities.identify(before.session) is None) == (kind == "reset")
        late = await accounts.make_link("ann", kind)  # type: ignore[arg-type]
        people.clock.move(seconds + 1)
        assert await reason(accounts.signing_in.redeem(late, password=password, device=AWAY)) == "gone"
        await accounts.signing_in.sign_in("ann", password or PASSWORD, device=AWAY)

    people.run(scenario)


def test_sessions_outlive_a_restart(people: People) -> None:
    kept: list[SignedIn] = []

    async def before(accounts: Accounts) -> None:
        kept.append(await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME))

    async def after(accounts: Accounts) -> None:
        assert accounts.identities.known(kept[0].session) is None
        assert await accounts.identities.identify(kept[0].session) == kept[0].principal
        assert accounts.identities.known(kept[0].session) == kept[0].principal

    people.run(before)
    people.run(after)


def test_what_another_program_does_is_known_within_seconds(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert await accounts.identities.identify(ann.session) is not None
        for verb in (["account", "add", "cyd"], ["account", "suspend", "ann"]):
            ended = await asyncio.to_thread(run_to_its_end, *verb, f"--database={people.url}")
            assert (ended.exit_code, ended.stderr) == (0, "")
        while await accounts.identities.identify(ann.session) is not None:
            await asyncio.sleep(0.01)
        assert [(change.what, change.author.handle) for change in people.changes[-2:]] == [
            ("created", "cyd"),
            ("suspended", "ann"),
        ]
        assert accounts.is_reserved("Cyd")

    people.run(scenario)


def test_who_was_identified_before_stays_so_while_the_database_is_away(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        bob = await accounts.signing_in.sign_up("bob", PASSWORD, device=HOME)
        assert await accounts.identities.identify(ann.session) is not None
        people.clock.move(7_200)  # its use has to be written
        with refusing(people.url):
            assert await accounts.identities.identify(ann.session) == ann.principal
            assert await reason(accounts.signing_in.sign_up("cyd", PASSWORD, device=HOME)) == "unavailable"
        while True:
            try:
                assert await accounts.identities.identify(bob.session) is not None
                break
            except AssertionError:
                raise
            except Exception:
                await asyncio.sleep(0.05)
        await accounts.signing_in.sign_up("cyd", PASSWORD, device=HOME)

    people.run(scenario)


def test_no_secret_is_in_the_database(people: People) -> None:
    texts: list[str] = []

    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        token = await accounts.own.make_token(number_of(ann), "x", ["read"])
        await accounts.set_role("ann", "admin")
        invite = await accounts.make_invite(number_of(ann))
        link = await accounts.make_link("ann", "reset")
        texts.extend([PASSWORD, ann.session, ann.device, token.text, invite.text, link, people.setup_link or "?"])

    people.run(scenario)
    rows = [
        repr(row)
        for table in ("account", "secret", "reserved", "outside", "revocation")
        for row in query(people.url, f"SELECT * FROM {table}")
    ]
    assert len(rows) > 8
    for text in texts:
        assert not [row for row in rows if text in row or (text.partition("_")[2] in row and "_" in text)]


def test_the_numbers_of_secrets_are_given_once(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        made = await accounts.own.make_token(number_of(ann), "x", ["read"])
        await people.erases(accounts, number_of(ann))
        bob = await accounts.signing_in.sign_up("bob", PASSWORD, device=HOME)
        assert bob.principal.secret is not None
        assert bob.principal.secret > made.id

    people.run(scenario)


def test_the_setup_link_stays_dead_when_the_admin_is_gone_again(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        assert people.setup_link is not None
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        await accounts.set_role("ann", "admin")
        await accounts.suspend("ann")
        assert await reason(accounts.signing_in.link(people.setup_link)) == "gone"

    people.run(scenario)


def test_a_session_that_has_ended_changes_nothing_any_more(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        signed_in = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert signed_in.principal.author is not None
        ann, session = signed_in.principal.author.id, signed_in.principal.secret
        assert session is not None
        await accounts.set_role("ann", "admin")
        await accounts.make_link("ann", "link", by=session)
        await accounts.set_role("ann", "member")
        assert await reason(accounts.make_link("ann", "link", by=session)) == "forbidden"
        await accounts.own.end_session(ann, session)
        asked = [
            accounts.own.make_token(ann, "x", ["read"], by=session),
            accounts.make_invite(ann, by=session),
            accounts.make_link("ann", "reset", by=session),
            accounts.own.change(ann, name="Anna", keep_session=session),
            accounts.own.leave(ann, password=PASSWORD, keep_session=session),
            accounts.other_ways.unlink(ann, "0" * 32, by=session),
            accounts.other_ways.end_passkey(ann, 1, by=session),
            accounts.own.end_other_sessions(ann, session),
        ]
        assert [await reason(each) for each in asked] == ["unauthorized"] * 8

    people.run(scenario)


def test_of_two_changes_of_a_password_at_once_the_old_one_is_right_for_the_first(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        signed_in = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert signed_in.principal.author is not None
        ann, session = signed_in.principal.author.id, signed_in.principal.secret
        phrases = ["one good phrase", "another good phrase"]
        changes = [
            accounts.own.change(ann, password=phrase, old_password=PASSWORD, keep_session=session) for phrase in phrases
        ]
        answers = await asyncio.gather(*changes, return_exceptions=True)
        (refusal,) = [answer for answer in answers if isinstance(answer, AccountRefused)]
        assert refusal.reason == "wrong"
        right = phrases[1 - answers.index(refusal)]
        await accounts.signing_in.sign_in("ann", right, device=HOME)

    people.run(scenario)


def test_a_suspended_account_changes_nothing_with_a_session_that_is_remembered(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        signed_in = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert signed_in.principal.author is not None
        await accounts.suspend("ann")
        token = accounts.own.make_token(signed_in.principal.author.id, "x", ["read"], by=signed_in.principal.secret)
        assert await reason(token) == "unauthorized"

    people.run(scenario)


def test_a_reset_ends_what_somebody_else_may_have(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        signed_in = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert signed_in.principal.author is not None
        token = await accounts.own.make_token(signed_in.principal.author.id, "x", ["read"], None)
        await accounts.own.change(signed_in.principal.author.id, name="Ann the Great")
        sign_in, reset = await accounts.make_link("ann", "link"), await accounts.make_link("ann", "reset")
        assert await reason(accounts.signing_in.redeem(reset, password="annthegreat", device=AWAY)) == "invalid"
        await accounts.signing_in.redeem(reset, password="another good phrase", device=AWAY)
        assert await accounts.identities.identify(token.text) is None
        assert await reason(accounts.signing_in.link(sign_in)) == "gone"

    people.run(scenario)


@pytest.mark.parametrize("ends", ["suspend", "role", "leave", "erase", "reset"])
def test_the_links_of_an_admin_end_with_the_admin(people: People, ends: str) -> None:
    async def scenario(accounts: Accounts) -> None:
        root, _ = [await accounts.signing_in.sign_up(handle, PASSWORD, device=HOME) for handle in ("root", "ann")]
        assert root.principal.author is not None
        maker, session = root.principal.author.id, root.principal.secret
        await accounts.set_role("root", "admin")
        links = [await accounts.make_link("ann", kind, maker=maker, by=session) for kind in ("link", "reset")]
        invite = await accounts.make_invite(maker, role="admin")
        plain = await accounts.make_invite(maker)
        by_command = await accounts.make_link("ann", "link")
        match ends:
            case "suspend":
                await accounts.suspend("root")
            case "role":
                await accounts.set_role("root", "moderator")
            case "leave":
                await accounts.own.leave(maker, password=PASSWORD)
            case "erase":
                erase = partial(transactions.erase_at_once, maker, erases=False)
                await accounts._feed._store.write(lambda: erase(now=Moment(people.clock())))  # as the command does it
            case _:
                reset = await accounts.make_link("root", "reset")
                await accounts.signing_in.redeem(reset, password="another good phrase", device=HOME)
        for link in links:
            assert await reason(accounts.signing_in.redeem(link, password="another good phrase", device=AWAY)) == "gone"
        assert await reason(accounts.signing_in.may_sign_up(invite.text, HOME.network)) == "invite"
        if ends == "role":
            await accounts.signing_in.may_sign_up(plain.text, HOME.network)
        await accounts.signing_in.redeem(by_command, device=AWAY)

    people.run(scenario)


def test_an_invite_that_was_used_up_is_deleted_thirty_days_later(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        root = (await accounts.signing_in.sign_up("root", PASSWORD, device=HOME)).principal.author
        assert root is not None
        await accounts.set_role("root", "admin")
        used, unused = [await accounts.make_invite(root.id, days=None) for _ in range(2)]
        people.clock.move(40 * 86_400)
        await accounts.signing_in.sign_up("ann", PASSWORD, invite=used.text, device=HOME)
        for days, left in ((29, 2), (2, 1)):
            people.clock.move(days * 86_400)
            await accounts._feed._tidy()
            assert query(people.url, "SELECT COUNT(*) FROM secret WHERE kind = 'invite'") == [(left,)]
        await accounts.signing_in.may_sign_up(unused.text, HOME.network)

    people.run(scenario)


def test_a_transaction_whose_asker_has_gone_still_counts_as_waiting(people: People) -> None:
    go_on, began = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go_on.wait(60)

    async def scenario() -> None:
        database = open_database(people.url)
        database.close()  # the store's thread opens its own
        queue = TransactionQueue(lambda: Store.start(database), most_waiting=1)
        asked = asyncio.ensure_future(queue.read(work))
        await asyncio.to_thread(began.wait, 60)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asked
        assert await reason(queue.read(lambda: None)) == "busy"
        go_on.set()
        while queue._waiting:
            await asyncio.sleep(0.005)
        assert await queue.read(lambda: True)
        await queue.close(10)

    asyncio.run(scenario())
