"""The tab's title counts messages while the page is hidden."""

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Visit
from tests.client.person import Person

pytestmark = pytest.mark.browser


def test_the_title_counts_what_others_say_while_the_page_is_hidden(ann: Person, bo: Person, room: str) -> None:
    bo.says("you are here")
    ann.expect_said("you are here")
    expect(ann.page).to_have_title(f"#{room} · Chatter")
    ann.looks_away()
    bo.says("are you there?", "hello?")
    expect(ann.page).to_have_title(f"(2) #{room} · Chatter")
    ann.looks_back()
    expect(ann.page).to_have_title(f"#{room} · Chatter")
    expect(ann.page.locator(".new")).to_have_count(1)
    expect(ann.page.locator(".new + .message")).to_contain_text("are you there?")


def test_what_one_says_oneself_in_another_window_is_not_counted(visit: Visit, ann: Person, room: str) -> None:
    ann_again = visit("ann")
    ann.looks_away()
    ann_again.says("from my phone")
    ann.expect_said("from my phone")
    expect(ann.page).to_have_title(f"#{room} · Chatter")
