"""Draws the icons of the client from its `icon.svg`: `python -m tests.support.draw_icons`.

The files are committed, since browsers want pictures of fixed sizes and a server has nothing to draw with.
"""

import struct

from playwright.sync_api import Page, sync_playwright

from tests.support.browser import find_chromium
from tests.support.server import ROOT

CLIENT = ROOT / "web" / "client"
GROUND = "#0d5c4d"
"""The colour of the icon's own square, on which a maskable icon goes on to the edge."""

MASKABLE_SHARE = 90
"""Percent of its size at which no mask cuts into the bubbles: the safe zone is a circle of 80 % (W3C)."""

ROUND = "margin: 0"
SQUARE = f"margin: 0; background: {GROUND}"


def draw(page: Page, size: int, style: str, share: int = 100) -> bytes:
    """Returns a PNG of the icon, on a ground that is transparent or as `style` says."""
    svg = (CLIENT / "icon.svg").read_text().replace("<svg ", f'<svg style="width: {share}%; height: {share}%" ', 1)
    page.set_viewport_size({"width": size, "height": size})
    page.set_content(
        f'<body style="{style}"><div style="display: grid; place-items: center; height: 100vh">{svg}</div></body>'
    )
    return page.screenshot(omit_background=True)


def as_ico(png: bytes, size: int) -> bytes:
    """Wraps one PNG into an .ico file."""
    head = struct.pack("<HHH", 0, 1, 1)
    entry = struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(png), 22)
    return head + entry + png


def main() -> None:
    """Draws all icons."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        files = {
            "icon-192.png": draw(page, 192, ROUND),
            "icon-512.png": draw(page, 512, ROUND),
            "maskable-512.png": draw(page, 512, SQUARE, MASKABLE_SHARE),
            "apple-touch-icon.png": draw(page, 180, SQUARE),
            "favicon.ico": as_ico(draw(page, 32, ROUND), 32),
        }
        browser.close()
    (CLIENT / "icons").mkdir(exist_ok=True)
    for name, content in files.items():
        (CLIENT / "icons" / name).write_bytes(content)


if __name__ == "__main__":
    main()
