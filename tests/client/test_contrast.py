"""What people see who need more than the colours: forced colours, more contrast, a page at 400 %."""

import itertools
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.client.axe import DARK, FORCED, LIGHT, MORE_CONTRAST, Look, looks, violations_in
from tests.client.conftest import Visit
from tests.client.person import PHONE, Person
from tests.client.rows import prepare
from tests.client.test_phone import OVERFLOW, WIDE
from tests.client.watch import Watch
from tests.support.server import Server

pytestmark = pytest.mark.browser

FIELD_EDGE = 3.0
"""The contrast of what tells a field from its surroundings (WCAG 2.2, 1.4.11)."""

AT_400_PERCENT: dict[str, Any] = {"viewport": {"width": 320, "height": 256}}
"""A window of 1280 by 1024 at 400 %."""

CONTRAST = """([edge, ground]) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = color => {
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(byte => byte / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [a, b] = [luminance(edge), luminance(ground)].sort((one, other) => other - one);
  return (a + 0.05) / (b + 0.05);
}"""
COVERED = """message => {
  const { left, right, top, bottom } = message.querySelector(".text").getBoundingClientRect();
  const { top: upper, bottom: lower } = document.querySelector(".scroller").getBoundingClientRect();
  return [...document.querySelectorAll(".sticky-day span, .pill")].filter(element => {
    const box = element.getBoundingClientRect();
    const isBeside = box.right <= left || box.left >= right;
    return !isBeside && box.bottom > Math.max(top, upper) && box.top < Math.min(bottom, lower);
  }).map(element => element.className);
}"""


def style(of: Locator, name: str) -> str:
    return str(of.evaluate("(element, name) => getComputedStyle(element)[name]", name))


def test_the_edges_of_fields_stand_out_on_both_sides(ann: Person) -> None:
    ann.composer.blur()
    fields = {".composer": "main", ".filter": "#rooms"}
    for look, (field, around) in itertools.product((LIGHT, DARK), fields.items()):
        looks(ann.page, look)
        inside = ann.page.locator(field)
        edge = style(inside, "borderTopColor")
        for ground in (style(inside, "backgroundColor"), style(ann.page.locator(around), "backgroundColor")):
            assert ann.page.evaluate(CONTRAST, [edge, ground]) >= FIELD_EDGE, (look, field, edge, ground)


def test_the_current_room_has_an_edge_where_grounds_may_not_show(ann: Person) -> None:
    current = ann.page.locator(".room[aria-current]")
    for look in (FORCED, MORE_CONTRAST):
        looks(ann.page, look)
        assert style(current, "outlineStyle") == "solid", look
        assert style(current, "outlineWidth") == "2px", look


@pytest.mark.parametrize(
    ("options", "several"),
    [({}, (LIGHT, DARK, FORCED, MORE_CONTRAST)), (PHONE, (LIGHT,)), (AT_400_PERCENT, (LIGHT,))],
)
def test_axe_finds_nothing_at_all_landmarks_and_headings_included(
    visit: Visit, server: Server, room: str, options: dict[str, Any], several: tuple[Look, ...]
) -> None:
    prepare(server.database, room, ["plain words", "`code`", "https://example.org"] * 3)
    ann = visit("ann", **options)
    expect(ann.texts).to_have_count(9)
    assert violations_in(ann.page, *several) == []


def test_axe_finds_nothing_on_the_page_of_an_error(ann: Person, server: Server, watch: Watch) -> None:
    ann.page.goto(f"{server.url}/rooms/a.b")
    assert violations_in(ann.page, LIGHT, DARK) == []
    assert all("404 (Not Found)" in fault for fault in watch.faults)
    watch.faults.clear()
    ann.page.get_by_role("link", name="Go to the lobby").click()
    ann.expect_connected()


def test_at_400_percent_the_page_is_scrolled_in_one_direction_and_can_be_used(
    visit: Visit, server: Server, room: str
) -> None:
    prepare(server.database, room, WIDE * 2)
    ann = visit("ann", **AT_400_PERCENT)
    expect(ann.texts).to_have_count(2 * len(WIDE))
    assert ann.page.evaluate(OVERFLOW) == []
    ann.says("large letters")
    expect(ann.message("large letters")).to_be_in_viewport()
    expect(ann.composer).to_be_in_viewport(ratio=1)
    ann.button("Rooms").click()
    expect(ann.rooms).to_be_visible()
    assert ann.page.evaluate(OVERFLOW) == []


@pytest.mark.parametrize("options", [AT_400_PERCENT, {**PHONE, "viewport": {"width": 844, "height": 390}}])
@pytest.mark.parametrize("seq", [3, 60])
def test_nothing_lies_on_a_linked_message_in_a_low_window(
    visit: Visit, server: Server, room: str, options: dict[str, Any], seq: int
) -> None:
    prepare(server.database, room, ["some words that are as long as the line and go on in the next one"] * 120)
    ann = visit("ann", f"{room}/{seq}", **options)
    message = ann.page.locator(".message.target")
    expect(message).to_be_in_viewport()
    expect(ann.pill).to_be_visible()
    expect(ann.pill).to_have_accessible_name("Newest messages")
    ann.sees_a_frame()  # what came into sight has its real height only then
    assert message.evaluate(COVERED) == []


def test_forced_edges_of_buttons_do_not_touch_on_a_phone(visit: Visit, bo: Person) -> None:
    bo.says("hello")
    bo.expect_said("hello")
    bo.message("hello").hover()
    bo.button("Pin").click()
    ann = visit("ann", **PHONE, forced_colors="active")
    expect(ann.people_button).to_have_accessible_name("2 people here")
    pins = ann.pins_button.bounding_box()
    people = ann.people_button.bounding_box()
    assert pins is not None
    assert people is not None
    assert pins["x"] + pins["width"] < people["x"]


def test_forced_edges_are_at_all_buttons_of_the_header(visit: Visit) -> None:
    ann = visit("ann", forced_colors="active")
    edges = [
        button.evaluate("button => getComputedStyle(button).borderTop")
        for button in ann.page.locator(".bar button").all()
        if button.is_visible()
    ]
    assert len(edges) >= 2
    assert len(set(edges)) == 1
    assert edges[0].startswith("1px solid")
