"""On paper there is the conversation that is loaded, and nothing around it."""

import re

import pytest
from playwright.sync_api import expect

from tests.client.conftest import Visit
from tests.client.rows import prepare
from tests.support.server import Server, wait_until

pytestmark = pytest.mark.browser

HIDDEN = (".sidebar", "footer", ".status", ".people-button", ".avatar", ".skip")
LAID_OUT = """() => {
  const heights = [...document.querySelectorAll(".message .text")].map(text => text.getBoundingClientRect().height);
  return { messages: heights.length, flat: heights.filter(height => height < 10).length,
    covers: document.documentElement.scrollHeight > heights.reduce((sum, height) => sum + height, 0) };
}"""
LUMINANCE = """token => {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(token).color;
  canvas.fillRect(0, 0, 1, 1);
  return Math.max(...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3));
}"""
GROUND = "getComputedStyle(document.documentElement).backgroundColor"


def test_all_messages_that_are_loaded_are_printed_and_nothing_else(visit: Visit, server: Server, room: str) -> None:
    prepare(server.database, room, [f"message {number} " + "and more " * 20 for number in range(120)])
    ann = visit("ann", color_scheme="dark")
    expect(ann.texts.last).to_contain_text("message 119")
    wait_until(lambda: ann.texts.count() >= 60)  # the first ones come with the join
    loaded = ann.texts.count()
    ann.page.emulate_media(media="print")
    expect(ann.page.get_by_role("heading", level=1)).to_be_visible()
    for part in HIDDEN:
        expect(ann.page.locator(part).first).to_be_hidden()
    printed = ann.page.evaluate(LAID_OUT)
    assert printed["messages"] >= loaded  # a longer view may load more
    assert (printed["flat"], printed["covers"]) == (0, True)
    assert ann.page.evaluate(GROUND) == "rgb(255, 255, 255)"
    assert ann.page.evaluate("document.querySelector('.panel')?.checkVisibility() ?? false") is False
    pages = re.findall(rb"/Type\s*/Page\b(?!s)", ann.page.pdf(format="A4"))
    assert len(pages) > 3


def test_a_long_message_is_printed_whole(visit: Visit, server: Server, room: str) -> None:
    prepare(server.database, room, ["\n".join(f"line {number}" for number in range(60))])
    ann = visit("ann")
    expect(ann.button("Show all")).to_be_visible()
    ann.page.emulate_media(media="print")
    expect(ann.button("Show all")).to_be_hidden()
    fold = ann.page.locator(".fold")
    assert fold.evaluate("fold => fold.scrollHeight - fold.clientHeight") <= 1


def test_the_colours_of_code_are_dark_on_paper_where_the_screen_is_dark(visit: Visit) -> None:
    ann = visit("ann", color_scheme="dark")
    ann.says('```js\nconst a = f("b", 1); // c\n```')
    ann.expect_acknowledged()
    token = ann.page.locator(".text .token").first
    expect(token).to_be_visible()
    assert token.evaluate(LUMINANCE) > 128
    ann.page.emulate_media(media="print")
    assert all(each.evaluate(LUMINANCE) < 128 for each in ann.page.locator(".text .token").all())
