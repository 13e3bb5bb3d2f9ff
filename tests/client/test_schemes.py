"""The page is light or dark as the system is."""

from typing import Literal

import pytest

from tests.client.conftest import Visit

pytestmark = pytest.mark.browser

BRIGHTNESS = """selector => {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(document.querySelector(selector)).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  return Math.max(...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3));
}"""


@pytest.mark.parametrize(("scheme", "least", "most"), [("light", 225, 255), ("dark", 0, 60)])
def test_the_page_is_as_bright_as_the_system(
    visit: Visit, scheme: Literal["light", "dark"], least: int, most: int
) -> None:
    page = visit("ann", color_scheme=scheme).page
    for ground in ("html", "main", "#rooms", ".composer"):
        assert least <= page.evaluate(BRIGHTNESS, ground) <= most, ground


def test_the_page_follows_when_the_system_changes(visit: Visit) -> None:
    page = visit("ann", color_scheme="light").page
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(BRIGHTNESS, "html") <= 60
