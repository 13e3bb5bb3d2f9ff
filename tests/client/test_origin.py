"""The page keeps to its own origin. The fixture `watch` checks that in all other tests too."""

import pytest

from tests.client.person import Person
from tests.client.watch import Watch
from tests.support.server import Server, wait_until

pytestmark = pytest.mark.browser

FOREIGN_IMAGE = "() => { new Image().src = 'http://127.0.0.1:9/spy.png'; }"
INLINE_SCRIPT = """() => {
  const script = document.createElement("script");
  script.textContent = "window.broken = true";
  document.body.append(script);
}"""


def test_all_that_the_page_asks_for_comes_from_its_server(ann: Person, server: Server, watch: Watch) -> None:
    assert watch.reached(f"{server.url}/assets/main-")
    assert watch.reached(f"{server.url.replace('http', 'ws')}/socket/websocket")
    assert watch.faults == []


@pytest.mark.parametrize(
    ("attempt", "directive"), [(FOREIGN_IMAGE, "img-src 'self'"), (INLINE_SCRIPT, "script-src 'self'")]
)
def test_the_policy_stops_what_is_not_the_pages_own(ann: Person, watch: Watch, attempt: str, directive: str) -> None:
    ann.page.evaluate(attempt)
    wait_until(lambda: ann.page.title() and any(directive in fault for fault in watch.faults))
    watch.faults.clear()
    assert ann.page.evaluate("window.broken") is None


def test_an_error_in_the_page_does_not_go_unnoticed(ann: Person, watch: Watch) -> None:
    ann.page.evaluate("() => { setTimeout(() => { throw new Error('broken'); }); }")
    wait_until(lambda: ann.page.title() and watch.faults)
    assert "broken" in watch.faults.pop()
