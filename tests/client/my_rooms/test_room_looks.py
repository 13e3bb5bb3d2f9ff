"""The panel of the members and the dialogs of a room: in every look, on every screen."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.client.axe import DARK, FORCED, GRAVE, LIGHT, violations, violations_in
from tests.client.conftest import Visit
from tests.client.my_rooms.members import Member
from tests.client.my_rooms.parts import member_row, panel, settings
from tests.client.person import PHONE

pytestmark = pytest.mark.browser

TINTS = 12
ONE_OF_EACH_TINT = f"""row => {{
  for (let tint = 0; tint < {TINTS}; tint++) {{
    const other = row.cloneNode(true);
    const avatar = other.querySelector(".avatar");
    avatar.className = `avatar tint-${{tint}}`;
    avatar.textContent = "AB"; // axe judges no single letter
    row.after(other);
  }}
}}"""


def test_who_is_not_here_can_be_read_in_every_colour(ann: Member, bo: Member, visit: Visit) -> None:
    one = ann.comes(visit, ann.makes_room("Absence", bo))
    expect(member_row(one, bo)).to_have_class("absent")
    member_row(one, bo).evaluate(ONE_OF_EACH_TINT)
    expect(panel(one).locator(".absent")).to_have_count(1 + TINTS)
    assert violations_in(one.page, LIGHT, DARK, FORCED, impacts=GRAVE) == []


@pytest.mark.parametrize("options", [{}, PHONE])
def test_the_dialogs_of_a_room_are_accessible_in_every_look(
    ann: Member, bo: Member, visit: Visit, options: dict[str, Any]
) -> None:
    one = ann.comes(visit, ann.makes_room("Looks", bo), **options)
    if options:
        one.page.locator(".people-button").click()
    people = one.page.get_by_role("region", name="Members").or_(one.page.get_by_role("dialog", name="Members"))
    dialog = one.page.locator("dialog.room-dialog")
    for name in ("Invite", "Links", "Settings", "Leave"):
        people.get_by_role("button", name=name).click()
        expect(dialog).to_be_visible()
        assert violations_in(one.page, LIGHT, DARK, FORCED, impacts=GRAVE) == [], name
        one.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    people.get_by_role("button", name=f"Options for {bo.handle}").click()
    one.page.get_by_role("menuitem", name="Remove…").click()
    expect(dialog).to_be_visible()
    assert violations_in(one.page, LIGHT, DARK, FORCED, impacts=GRAVE) == []


def test_all_settings_are_in_sight_on_a_screen_of_a_laptop(ann: Member, visit: Visit) -> None:
    slug = ann.makes_room(f"Many rules {ann.handle}", kind="public")
    one = ann.comes(visit, slug, viewport={"width": 1440, "height": 900})
    dialog = settings(one)
    for name in ("Save", "Archive this room"):
        expect(dialog.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    assert dialog.evaluate("dialog => [dialog.scrollHeight - dialog.clientHeight, dialog.scrollTop]") == [0, 0]


def test_a_title_of_several_directions_is_isolated_in_the_sentences_about_the_room(ann: Member, visit: Visit) -> None:
    title = "مرحبا 日本語 हिन्दी"
    one = ann.comes(visit, ann.makes_room(title))
    expect(one.page.locator(".quiet h2 bdi")).to_have_text(title)
    one.says("hello")
    expect(one.page.locator(".beginning bdi")).to_have_text(title)


def test_the_settings_are_saved_on_a_phone_without_scrolling(ann: Member, visit: Visit) -> None:
    slug = ann.makes_room(f"Small screen {ann.handle}", kind="public")
    one = ann.comes(visit, slug, **PHONE)
    one.people_button.click()
    one.page.get_by_role("dialog", name="Members").get_by_role("button", name="Settings").tap()
    dialog = one.page.get_by_role("dialog", name="Settings of the room")
    save = dialog.get_by_role("button", name="Save")
    expect(save).to_be_in_viewport(ratio=1)
    last = dialog.get_by_role("checkbox").last
    last.focus()
    expect(last).to_be_in_viewport(ratio=1)
    field, bar = last.bounding_box(), save.bounding_box()
    assert field
    assert bar
    assert field["y"] + field["height"] <= bar["y"]  # nothing with the focus is behind the buttons
    dialog.get_by_label("Topic").fill("short")
    save.tap()
    expect(one.page.locator(".topic")).to_have_text("short")


@pytest.mark.usefixtures("outage")
def test_the_settings_say_why_they_are_not_saved(ann: Member, visit: Visit) -> None:
    one = ann.comes(visit, ann.makes_room("Far away"))
    dialog = settings(one)
    dialog.get_by_label("Topic").fill("kept")
    one.loses_network()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert").filter(has_text="The connection to the server was lost.")).to_be_visible()
    expect(dialog.get_by_label("Topic")).to_have_value("kept")
    assert violations_in(one.page, LIGHT, DARK, FORCED, impacts=GRAVE) == []


def test_the_members_panel_of_a_phone_and_its_dialogs_are_accessible(ann: Member, bo: Member, visit: Visit) -> None:
    slug = ann.makes_room("Small screens", bo)
    one = ann.comes(visit, slug, **PHONE)
    one.people_button.click()
    dialog = one.page.get_by_role("dialog", name="Members")
    expect(dialog.get_by_role("list", name="Members")).to_contain_text(bo.handle)
    assert not violations(one.page)
    for action, title in (("Invite", "Invite people to Small screens"), ("Leave", "Leave Small screens?")):
        dialog.get_by_role("button", name=action).tap()
        expect(one.page.get_by_role("dialog", name=title)).to_be_visible()
        assert not violations(one.page)
        one.page.keyboard.press("Escape")
    dialog.get_by_role("button", name=f"Options for {bo.handle}").tap()
    one.page.get_by_role("menuitem", name="Ban…").tap()
    expect(one.page.get_by_role("dialog", name=f"Ban {bo.handle}?")).to_be_visible()
    assert not violations(one.page)
