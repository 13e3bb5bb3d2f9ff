"""Accounts: what they are called, what becomes of them, and which names guests may not have."""

import pytest

from chatter.accounts import names
from chatter.accounts.accounts import Accounts
from tests.chatter.accounts.conftest import HOME, PASSWORD, People, reason, refused
from tests.support.database import query

DAY = 86_400


@pytest.mark.parametrize(
    "name",
    [
        "ann",
        "Ann",
        "ＡＮＮ",
        "a n n",
        "аnn",  # a Cyrillic letter
        "a\u200bnn",
        "änn",
        "Ann!",
        "ann\u3164",
    ],
)
def test_a_guest_cannot_have_a_name_that_looks_like_an_accounts(people: People, name: str) -> None:
    async def scenario(accounts: Accounts) -> None:
        assert not accounts.is_reserved(name)
        await accounts.signing_in.sign_up("ann", PASSWORD, "The Boss", device=HOME)
        assert accounts.is_reserved(name)
        assert accounts.is_reserved("the boss")
        assert not accounts.is_reserved("anna")
        assert not accounts.is_reserved(accounts.suggestion(name))

    people.run(scenario)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("m", "rn"), ("alice", "aIice"), ("b0b", "Bob"), ("Вob", "bob"), ("Νina", "Nina"), ("paypal", "pаypаl")),
        *((f"an{sign}n", "ann") for sign in "ʼˈː~°−⋅˜ˑ⁓"),  # modifier letters and signs
        *((f"ann {sign}", "ann") for sign in ("✓", "✔\ufe0f", "⭐", "🎉", "👩\u200d💻", "🇩🇪")),
        *(("savvy", "sawy"), ("vvolf", "Wolf"), ("modern", "modem")),
        *(("ᴏʟɢᴀ", "olga"), ("olɢa", "olga"), ("🅞🅛🅖🅐", "olga"), ("🅾🅻🅶🅰", "olga")),  # in other shapes
        *(("Ⲁⲛⲛ", "ANN"), ("ⲕⲓⲙ", "KIM"), ("ⲧⲟⲙ", "TOM"), ("ⲩⲏⲣ", "YHP")),  # Coptic
    ],
)
def test_names_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert names.skeleton(one) == names.skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann", "anna"),
        ("Олег", "Олеж"),
        ("田中", "山中"),
        ("😀", "😁"),
        ("user5", "users"),
        ("ローラ", "ロラ"),
        ("佐々木", "佐木"),
    ],
)
def test_names_that_differ_have_two_skeletons(one: str, other: str) -> None:
    assert names.skeleton(one) != names.skeleton(other)


@pytest.mark.parametrize("name", ["@olga", "\uff20olga", "gary (guest)", "gary(Guest)", "[guest]", "deleted account"])
def test_an_account_is_called_neither_by_a_handle_nor_like_a_guest_nor_like_nobody(name: str) -> None:
    assert not names.is_name(name, 64)
    assert names.is_name("Olga", 64)


@pytest.mark.parametrize("handle", ["room", "here", "everyone", "guest", "deleted-account", "deleted.account"])
def test_what_means_everybody_or_nobody_is_no_handle(people: People, handle: str) -> None:
    async def scenario(accounts: Accounts) -> None:
        assert (await refused(accounts.signing_in.sign_up(handle, PASSWORD, "Olga", device=HOME))).field == "handle"

    people.run(scenario)


@pytest.mark.parametrize("name", ["@nobody", "\uff20nobody", "\ufe6bnobody"])
def test_a_guest_is_never_written_like_an_account(people: People, name: str) -> None:
    async def scenario(accounts: Accounts) -> None:
        assert not accounts.has_any
        assert accounts.is_reserved(name)
        assert not accounts.is_reserved(accounts.suggestion(name))
        assert not accounts.is_reserved("nobody")

    people.run(scenario)


def test_a_suggestion_is_a_name_that_says_guest() -> None:
    assert names.suggestion("ann", 64) == "ann (guest)"
    assert names.suggestion("@ann", 64) == "ann (guest)"
    assert names.suggestion("ann (guest)", 64) == "ann (guest)"
    assert names.suggestion("x" * 64, 64) == "x" * 56 + " (guest)"


def test_a_new_handle_keeps_the_old_one_for_ninety_days(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        signed_in = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert signed_in.principal.author is not None
        ann = signed_in.principal.author.id
        assert await accounts.identities.identify(signed_in.session) is not None
        await accounts.own.change(ann, handle="anna", name="Anna")
        assert [(change.what, change.author.handle, change.name) for change in people.changes[-1:]] == [
            ("renamed", "anna", "Anna")
        ]
        principal = await accounts.identities.identify(signed_in.session)
        assert principal is not None
        assert (principal.name, principal.author and principal.author.id) == ("Anna", ann)
        assert await reason(accounts.signing_in.sign_in("ann", PASSWORD, device=HOME)) == "wrong"
        assert await reason(accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)) == "handle_taken"
        assert accounts.is_reserved("ann")
        await accounts.own.change(ann, handle="ann")
        await accounts.own.change(ann, handle="anna")
        people.clock.move(90 * DAY + 1)
        freed: list[bool] = []
        accounts.on_names_freed = lambda: freed.append(accounts.is_reserved("ann"))
        await accounts._feed._tidy()
        await accounts._feed._tidy()
        assert freed == [False]
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)

    people.run(scenario)


def test_a_name_changes_three_times_a_day(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann, bob = [
            (await accounts.signing_in.sign_up(handle, PASSWORD, device=HOME)).principal.author
            for handle in ("ann", "bob")
        ]
        assert ann is not None
        assert bob is not None
        for number in range(3):
            await accounts.own.change(ann.id, name=f"Ann {number}")
            people.clock.move(3_600)
        error = await refused(accounts.own.change(ann.id, name="Somebody"))
        assert (error.reason, error.retry_after_ms) == ("rate_limited", 21 * 3_600_000)
        await accounts.own.change(ann.id, name="Ann 2")  # as it is
        await accounts.own.change(bob.id, name="Somebody")
        people.clock.move(21 * 3_600 + 1)
        await accounts.own.change(ann.id, name="Ann")
        await accounts.own.change(ann.id, handle="anna")

    people.run(scenario)


def test_where_no_name_may_change_none_does(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = (await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)).principal.author
        assert ann is not None
        assert await reason(accounts.own.change(ann.id, name="Somebody")) == "rate_limited"

    people.run(scenario, display_name_changes=0)


def test_a_handle_of_somebody_is_no_new_handle(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        bob = (await accounts.signing_in.sign_up("bob", PASSWORD, device=HOME)).principal.author
        assert bob is not None
        assert await reason(accounts.own.change(bob.id, handle="ann")) == "handle_taken"
        await accounts.own.change(bob.id, handle="bo-b")  # which looks like the own one
        assert (await accounts.own.account(bob.id)).handle == "bo-b"

    people.run(scenario)


def test_a_new_role_is_known_at_once(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        await accounts.identities.identify(ann.session)
        await accounts.set_role("ann", "moderator")
        principal = await accounts.identities.identify(ann.session)
        assert principal is not None
        assert (principal.role, people.changes[-1].what, people.changes[-1].role) == (
            "moderator",
            "role",
            "moderator",
        )
        assert await reason(accounts.set_role("nobody", "admin")) == "not_found"

    people.run(scenario)


def test_an_erased_account_is_nobodys_and_its_handle_is_never_given_again(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, "The Boss", device=HOME)
        assert ann.principal.author is not None
        number = ann.principal.author.id
        token = await accounts.own.make_token(number, "x", ["read"])
        assert await reason(accounts.own.leave(number, password="guessed wrong")) == "wrong"
        await people.erases(accounts, number)
        assert [change.what for change in people.changes[-2:]] == ["left", "erased"]
        assert await accounts.identities.identify(ann.session) is await accounts.identities.identify(token.text) is None
        assert await reason(accounts.own.account(number)) == "not_found"
        assert await reason(accounts.signing_in.sign_in("ann", PASSWORD, device=HOME)) == "wrong"
        people.clock.move(1_000 * DAY)
        assert await reason(accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)) == "handle_taken"
        assert accounts.is_reserved("ann")
        assert await accounts.accounts() == []

    people.run(scenario)


def test_the_export_has_all_that_is_kept_and_no_secret(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)
        assert ann.principal.author is not None
        await accounts.own.make_token(ann.principal.author.id, "backup", ["read"])
        exported = await accounts.own.export(ann.principal.author.id)
        assert [row["kind"] for row in exported] == ["account", "session", "token"]
        assert exported[0]["account"]["handle"] == "ann"
        assert "password" not in exported[0]["account"]

    people.run(scenario)


def test_somebody_from_outside_has_one_account(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        first = await accounts.identities.principal_of_outside(
            "https://app.example", "auth0|42", name="Zoë", expires_at=1.0
        )
        again = await accounts.identities.principal_of_outside(
            "https://app.example", "auth0|42", name="Zoë M", role="moderator"
        )
        other = await accounts.identities.principal_of_outside("https://other.example", "auth0|42")
        assert first.author is not None
        assert other.author is not None
        assert (first.author.handle, first.name, first.role, first.expires_at) == ("auth0-42", "Zoë", "member", 1.0)
        assert (again.author, again.name, again.role) == (first.author, "Zoë M", "moderator")
        assert (other.author.handle, other.name) == ("auth0-42-2", "auth0-42-2")
        assert accounts.is_reserved("zoe m")
        await accounts.suspend("auth0-42")
        assert await reason(accounts.identities.principal_of_outside("https://app.example", "auth0|42")) == "suspended"

    people.run(scenario)


def test_an_older_word_of_another_server_renames_nobody(people: People) -> None:
    """Of two tabs one may have a token from before somebody was renamed, and show it with each request."""

    async def scenario(accounts: Accounts) -> None:
        called: list[str | None] = []
        for made_at, name in [(1, "Zoë"), (2, "Zoë M"), (1, "Zoë"), (2, "Zoë M"), (1, "Zoë"), (3, "Zoë N")]:
            principal = await accounts.identities.principal_of_outside("an app", "42", name=name, made_at=made_at)
            called.append(principal.name)
        assert called == ["Zoë", *["Zoë M"] * 4, "Zoë N"]
        assert [change.what for change in people.changes] == ["created", "renamed", "renamed"]

    people.run(scenario)


def test_all_is_known_again_after_a_restart(people: People) -> None:
    async def before(accounts: Accounts) -> None:
        await accounts.signing_in.sign_up("ann", PASSWORD, "The Boss", device=HOME)

    async def after(accounts: Accounts) -> None:
        assert accounts.is_reserved("The Boss")
        assert people.changes == people.changes[:1]

    people.run(before)
    people.run(after)


def test_nobody_collects_handles(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = (await accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)).principal.author
        assert ann is not None
        for number in range(3):
            await accounts.own.change(ann.id, handle=f"ann{number}-of-many")
        assert await reason(accounts.own.change(ann.id, handle="support")) == "full"
        people.clock.move(91 * DAY)
        await accounts.own.change(ann.id, handle="support")

    people.run(scenario)


def test_the_name_of_an_erased_account_is_kept_from_guests_for_a_while(people: People) -> None:
    async def scenario(accounts: Accounts) -> None:
        ann = (await accounts.signing_in.sign_up("ann", PASSWORD, "The Boss", device=HOME)).principal.author
        assert ann is not None
        await people.erases(accounts, ann.id)
        assert accounts.is_reserved("The Boss")

    people.run(scenario)


def of_first_rules(people: People, skeletons: dict[str, str], kept: dict[str, str]) -> None:
    """Makes accounts as the first version has made them, with the skeletons that it gave to handles."""
    for number, (handle, skeleton) in enumerate(skeletons.items(), 1):
        columns = "id, handle, skeleton, name, role, kind, state, created_at, seen_at"
        values = f"{number}, '{handle}', '{skeleton}', '{handle}', 'member', 'person', 'active', '2026', '2026'"
        query(people.url, f"INSERT INTO account ({columns}) VALUES ({values})")
        query(people.url, f"INSERT INTO reserved (skeleton, account) VALUES ('{skeleton}', {number})")
    for handle, skeleton in kept.items():
        values = f"'{skeleton}', {1 + list(skeletons).index(handle)}, '2099'"
        query(people.url, f"INSERT INTO reserved (skeleton, account, until) VALUES ({values})")


def test_skeletons_of_earlier_rules_are_made_anew_and_accounts_that_collide_keep_their_names(people: People) -> None:
    of_first_rules(people, {"savvy": "savvy", "sawy": "sawy", "modern": "modern"}, {"modern": "ann✓"})

    async def scenario(accounts: Accounts) -> None:
        assert [account.handle for account in await accounts.accounts()] == ["modern", "savvy", "sawy"]
        assert all(accounts.is_reserved(name) for name in ("savvy", "sawy", "modem", "ann"))
        assert await reason(accounts.signing_in.sign_up("modem", PASSWORD, device=HOME)) == "handle_taken"
        assert await reason(accounts.signing_in.sign_up("ann", PASSWORD, device=HOME)) == "handle_taken"
        for number in (1, 2):
            await accounts.own.change(number, name=f"Somebody {number}")
        assert [account.name for account in await accounts.accounts()] == ["modern", "Somebody 1", "Somebody 2"]

    people.run(scenario)
    assert query(people.url, "SELECT handle, skeleton FROM account ORDER BY id") == [
        ("savvy", "savvy"),
        ("sawy", "sawy"),
        ("modern", "modem"),
    ]
    people.open_and_close()
    assert query(people.url, "SELECT COUNT(*) FROM reserved WHERE until IS NOT NULL") == [(1,)]
