"""What axe, the accessibility checker, has to say about a page."""

from functools import cache
from typing import Any, NamedTuple

from playwright.sync_api import Page

from tests.support.server import ROOT

SOURCE = ROOT / "web" / "client" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}
RUN = """async context => {
  const { violations } = await axe.run(context ?? document, { resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ html }) => html) }));
}"""


class Violation(NamedTuple):
    """One rule that is broken, and the elements that break it."""

    rule: str
    where: tuple[str, ...]


def grave_violations(page: Page) -> list[Violation]:
    """What is serious or critical in the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())  # by way of the debugger, as the page's own policy forbids other scripts
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [Violation(each["id"], tuple(each["where"])) for each in found if each["impact"] in GRAVE]


@cache
def _source() -> str:
    return SOURCE.read_text(encoding="utf-8")
