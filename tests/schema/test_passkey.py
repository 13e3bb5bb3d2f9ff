"""Passkeys are found by credential and by account, and a use is noted once. SQLite, then PostgreSQL."""

import peewee
import pytest

from schema import Database
from schema.passkey import Passkey, PasskeyRow

NOW, LATER = "2026-05-04T12:00:00.000000Z", "2026-05-05T12:00:00.000000Z"

pytestmark = pytest.mark.usefixtures("database")


def add(credential: str, account: int = 1, sign_count: int = 0) -> int:
    return Passkey.add(
        credential=credential,
        account=account,
        user_handle="u" * 43,
        public_key="key",
        sign_count=sign_count,
        transports="internal usb",
        aaguid="00000000-0000-0000-0000-000000000000",
        backed_up=1,
        label="Phone",
        created_at=NOW,
    )


def row(credential: str) -> PasskeyRow:
    found = Passkey.by_credential(credential)
    assert found is not None
    return found


def test_a_passkey_is_found_by_its_credential_and_its_account() -> None:
    first, second = add("a"), add("b")
    add("c", account=2)
    assert [each.id for each in Passkey.of_account(1)] == [second, first]
    assert (row("c").account, row("a").transports, row("a").used_at) == (2, "internal usb", None)
    assert Passkey.by_credential("d") is None


def test_a_credential_is_one_passkey(database: Database) -> None:
    add("a")
    with pytest.raises(peewee.IntegrityError), database.atomic():
        add("a", account=2)


def test_of_two_uses_at_the_same_time_one_is_noted() -> None:
    add("a", sign_count=5)
    read = row("a")
    assert Passkey.use(read, sign_count=2**32 - 1, backed_up=False, now=LATER)
    assert not Passkey.use(read, sign_count=6, backed_up=False, now=LATER)
    assert (row("a").sign_count, row("a").backed_up, row("a").used_at) == (2**32 - 1, 0, LATER)


def test_a_passkey_is_deleted_by_its_own_account_alone() -> None:
    number = add("a")
    assert not Passkey.delete_one(2, number)
    assert Passkey.delete_one(1, number)
    assert not Passkey.delete_one(1, number)


def test_the_number_of_a_deleted_passkey_is_not_given_again() -> None:
    number = add("a")
    Passkey.delete_of(1)
    assert Passkey.of_account(1) == []
    assert add("a") > number
