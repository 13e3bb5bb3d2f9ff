"""Cookies: which of those that a browser sends is ours."""

import pytest

from web.identity.cookies import SECURE, cookie


@pytest.mark.parametrize("before", ["\x85", "\xa0", "\x1f", "x", '"'])
def test_a_cookie_that_another_host_of_the_domain_can_set_is_not_ours(before: str) -> None:
    """Blanks to Python are letters to a browser, for which such a name does not begin with `__Host-`."""
    sent = {"cookie": [f"{before}__Host-chatter=tossed; __Host-chatter=own"]}
    assert cookie(sent, SECURE.session) == "own"


@pytest.mark.parametrize(
    "text", ["a=b;  __Host-chatter=own", "\t__Host-chatter=own ; a=b", "__Host-chatter=; __Host-chatter=own"]
)
def test_blanks_around_a_cookie_are_none_of_it(text: str) -> None:
    assert cookie({"cookie": [text]}, SECURE.session) == "own"
