"""The page is light or dark as the system is."""

import pytest

from tests.client.conftest import Visit

pytestmark = pytest.mark.browser

BRIGHTNESS = """selector => {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(document.querySelector(selector)).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  return Math.max(...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3));
}"""


def test_the_page_is_as_bright_as_the_system_and_follows_when_that_changes(visit: Visit) -> None:
    page = visit("ann", color_scheme="dark").page
    for ground in ("html", "main", "#rooms", ".composer"):
        assert page.evaluate(BRIGHTNESS, ground) <= 60, ground
    page.emulate_media(color_scheme="light")
    for ground in ("html", "main", "#rooms", ".composer"):
        assert page.evaluate(BRIGHTNESS, ground) >= 225, ground
