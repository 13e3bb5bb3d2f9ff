"""The dialog about the account."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.client.accounts.actions import (
    dialog,
    fills,
    opens_account,
    renames,
    sessions_of,
    signs_out,
)
from tests.client.accounts.conftest import SignIn
from tests.client.axe import DARK, FORCED, LIGHT, Look, violations_in
from tests.client.person import PHONE
from tests.client.sessions import PASSWORD
from tests.support.database import query
from tests.support.server import Server

pytestmark = pytest.mark.browser


def test_a_token_is_shown_once_and_works_until_it_is_revoked(signs_in: SignIn, server: Server, handle: str) -> None:
    ann = signs_in()
    opened = opens_account(ann, "Tokens")
    fills(opened, label="Weather")
    token = opened.locator(".shown-once code").inner_text()
    ask = urllib.request.Request(f"{server.url}/api/me", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(ask) as answer:
        assert json.load(answer)["handle"] == handle
    opened.get_by_role("button", name="Revoke Weather").click()
    expect(opened.get_by_role("list", name="Access tokens").get_by_role("listitem")).to_have_count(0)
    expect(opened.get_by_text("You have none.")).to_be_focused()
    expect(opened.locator(".shown-once")).to_have_count(0)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(ask)


@pytest.mark.usefixtures("refusals")
def test_who_signed_in_long_ago_shows_the_password_before_a_token_is_made(
    signs_in: SignIn, server: Server, handle: str
) -> None:
    ann = signs_in()
    query(server.database_url, "UPDATE secret SET created_at = '2020-01-01T00:00:00.000000Z' WHERE kind = 'session'")
    opened = opens_account(ann, "Tokens")
    fills(opened, label="Weather")
    asked = dialog(ann, "Show that it is you")
    asked.get_by_role("button", name="Cancel").click()
    expect(opened).to_contain_text("Show first that it is you.")
    expect(opened.locator("input[name=label]")).to_have_value("Weather")
    fills(opened, label="Weather")
    fills(asked, password="guessed wrong")
    expect(asked).to_contain_text("That is not the password of this account.")
    fills(asked, password=PASSWORD)
    expect(opened.locator(".shown-once code")).to_contain_text("cha_")
    expect(asked).to_have_count(0)


def test_the_parts_of_the_account_have_one_height_and_the_first_needs_no_scrolling(signs_in: SignIn) -> None:
    ann = signs_in()
    opened = opens_account(ann, "Leave")
    for width, height in ((1440, 900), (1024, 768), (390, 844)):
        ann.page.set_viewport_size({"width": width, "height": height})
        box = opened.bounding_box()
        for part in ("Signed in", "Tokens", "Invites", "Leave", "Profile"):
            opened.get_by_role("button", name=part, exact=True).click()
            expect(opened.get_by_role("button", name=part, exact=True)).to_have_attribute("aria-current", "true")
            assert opened.bounding_box() == box
        inside = opened.locator(".part").evaluate("part => [part.scrollHeight, part.clientHeight]")
        assert inside[0] <= inside[1]


@pytest.mark.parametrize(("options", "looks"), [({}, (LIGHT, DARK, FORCED)), (PHONE, (LIGHT,))])
def test_each_dialog_is_for_everybody(signs_in: SignIn, options: dict[str, Any], looks: tuple[Look, ...]) -> None:
    ann = signs_in(**options)
    if "is_mobile" in options:
        ann.button("Rooms").click()
    for part in ("Profile", "Signed in", "Tokens", "Invites", "Leave"):
        opened = opens_account(ann, part)
        expect(opened).not_to_contain_text("Loading")
        renames(sessions_of(opened).filter(has_text="this browser")) if part == "Signed in" else None
        assert violations_in(ann.page, *looks) == []
        ann.page.keyboard.press("Escape") if part == "Signed in" else None
        ann.page.keyboard.press("Escape")
        expect(opened).to_have_count(0)
    signs_out(ann)
    if "is_mobile" in options:
        ann.button("Rooms").click()
    ann.page.locator(".me").get_by_role("button", name="Sign in").click()
    expect(dialog(ann, "Sign in")).to_be_visible()
    assert violations_in(ann.page, *looks) == []
    ann.button("Create an account").click()
    expect(dialog(ann, "Create an account").locator("input[name=handle]")).to_be_focused()
    assert violations_in(ann.page, *looks) == []
