"""People pin messages: the header counts them, and the panel lists them, leads to them and unpins them."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Speaks, Visit
from tests.client.person import PHONE
from tests.client.test_recovery import somebody_says
from tests.support.server import Server

TALL = "\n".join("higher than a page of a few words")

pytestmark = pytest.mark.browser


def test_what_is_pinned_is_counted_listed_and_unpinned(visit: Visit, speaks: Speaks) -> None:
    ann, bo = visit("ann", viewport={"width": 1400, "height": 800}), speaks("bo")
    ann.says("one", "two")
    bo.expect_said("one", "two")
    expect(ann.pins_button).to_have_count(0)
    for text in ("one", "two"):
        bo.pins(text)
        expect(ann.message(text).locator(".pinned")).to_have_accessible_name("Pinned by bo")
    expect(ann.pins_button).to_have_accessible_name("2 pinned messages")
    ann.pins_button.click()
    pinned = ann.page.get_by_role("region", name="Pinned messages").get_by_role("listitem")
    expect(pinned.locator(".excerpt")).to_have_text(["two", "one"])
    expect(pinned.first.get_by_role("link")).to_be_focused()
    pinned.first.get_by_role("button", name="Unpin").click()
    expect(pinned.locator(".excerpt")).to_have_text(["one"])
    expect(pinned.first.get_by_role("link")).to_be_focused()
    expect(ann.message("two").locator(".pinned")).to_have_count(0)
    expect(ann.pins_button).to_have_accessible_name("1 pinned message")
    ann.page.keyboard.press("Enter")
    expect(ann.page).to_have_url(re.compile(r"/\d+$"))
    expect(ann.message("one")).to_have_attribute("aria-current", "location")
    pinned.get_by_role("button", name="Unpin").click()
    expect(ann.page.get_by_role("region", name="Pinned messages")).to_contain_text("Nothing is pinned here.")
    expect(ann.button("Close panel")).to_be_focused()
    expect(ann.pins_button).to_have_count(0)


def test_what_was_pinned_long_ago_is_found_and_gives_way_to_the_message(
    visit: Visit, speaks: Speaks, server: Server, room: str
) -> None:
    bo = speaks("bo")
    bo.says("one")
    bo.pins("one")
    somebody_says(server, room, *(f"{number}\n{TALL}" for number in range(70)))
    ann = visit("ann", **PHONE)
    expect(ann.texts.last).to_contain_text("69")
    expect(ann.message("one")).to_have_count(0)
    ann.pins_button.tap()
    dialog = ann.page.get_by_role("dialog", name="Pinned messages")
    dialog.get_by_role("link").tap()
    expect(dialog).to_be_hidden()
    expect(ann.message("one")).to_have_attribute("aria-current", "location")
