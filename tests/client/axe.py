"""Runs axe, the accessibility checker, on a page."""

import itertools
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from playwright.sync_api import Page

from tests.support.server import ROOT

SOURCE = ROOT / "web" / "client" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}

Look: TypeAlias = dict[str, Any]
"""What a person has asked of their system, as `emulate_media` takes it."""

LIGHT: Look = {"color_scheme": "light"}
DARK: Look = {"color_scheme": "dark"}
FORCED: Look = {"forced_colors": "active"}
MORE_CONTRAST: Look = {"contrast": "more"}

COLOUR_RULES = ["color-contrast", "link-in-text-block"]
"""What depends on the look. The others judge names, roles and places, which all looks share.

What is behind a dialog was judged without it.
"""

RUN = """async rules => {
  const isFinite = animation => animation.effect.getComputedTiming().endTime < Infinity;
  await Promise.allSettled(document.getAnimations().filter(isFinite).map(animation => animation.finished));
  const where = (rules && document.querySelector("dialog:modal")) || document;
  const { violations } = await axe.run(where, { resultTypes: ["violations"], runOnly: rules ?? undefined });
  return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ html }) => html) }));
}"""


class Violation(NamedTuple):
    """A broken rule and the elements that break it."""

    rule: str
    where: tuple[str, ...]


def grave_violations(page: Page) -> list[Violation]:
    """Returns the serious and critical violations in the present page."""
    return violations(page, GRAVE)


def looks(page: Page, look: Look) -> None:
    """Gives the page a look in place of the one it has. Nothing moves, as that would be waited for."""
    plain: Look = {"color_scheme": "null", "forced_colors": "null", "contrast": "null", "reduced_motion": "reduce"}
    page.emulate_media(**plain | look)


def violations_in(page: Page, *several: Look, impacts: set[str] | None = None) -> list[tuple[Look, Violation]]:
    """Returns the violations of the present page in each look, of all rules in the first. It keeps the last."""
    found = []
    for rules, look in zip(itertools.chain([None], itertools.repeat(COLOUR_RULES)), several, strict=False):
        looks(page, look)
        found += [(look, violation) for violation in violations(page, impacts, rules)]
    return found


def violations(page: Page, impacts: set[str] | None = None, rules: list[str] | None = None) -> list[Violation]:
    """Returns the violations of these impacts and rules in the present page once nothing moves, by default all."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())  # through the debugger: the page's policy forbids other scripts
    found: list[dict[str, Any]] = page.evaluate(RUN, rules)
    return [Violation(each["id"], tuple(each["where"])) for each in found if not impacts or each["impact"] in impacts]


@cache
def _source() -> str:
    return SOURCE.read_text(encoding="utf-8")
