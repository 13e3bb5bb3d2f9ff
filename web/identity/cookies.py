"""Cookies: the session of a browser, and what says that somebody has signed in there before.

Browsers keep `__Host-` cookies to one host and to https, so no other server of the domain can set or read them. On
the machine itself Chatter speaks plain http, where browsers refuse them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chatter.accounts.keys import DEVICE_DAYS
from chatter.accounts.times import DAY


class Cookies(NamedTuple):
    """The names of the cookies of one kind of address."""

    session: str
    device: str
    is_secure: bool

    def set_session(self, text: str, days: float) -> str:
        """Returns the value of a `Set-Cookie` that begins a session."""
        return self._set(self.session, text, int(days * DAY))

    def set_device(self, text: str) -> str:
        """Returns the value of a `Set-Cookie` that outlives the session."""
        return self._set(self.device, text, int(DEVICE_DAYS * DAY))

    def clear_session(self) -> str:
        """Returns the value of a `Set-Cookie` that ends the session in the browser."""
        return self._set(self.session, "", 0)

    @property
    def openid(self) -> str:
        """The name of the cookie of a browser that is on its way to a provider."""
        return f"{self.session}-openid"

    def set_openid(self, text: str, seconds: int) -> str:
        """Returns the value of a `Set-Cookie` that knows this browser when it comes back from a provider."""
        return self._set(self.openid, text, seconds)

    def _set(self, name: str, text: str, seconds: int) -> str:
        secure = "; Secure" if self.is_secure else ""
        return f"{name}={text}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


SECURE = Cookies("__Host-chatter", "__Host-chatter-device", is_secure=True)
PLAIN = Cookies("chatter", "chatter-device", is_secure=False)
"""For plain http on the machine itself."""


def cookie(headers: Mapping[str, Sequence[str]], name: str) -> str | None:
    """Returns the cookie of that name; the first, where a browser sends several.

    Only what browsers take for blanks is none of the name: with another one before it, any host of the domain may set a
    cookie that begins with `__Host-`.
    """
    for pair in ";".join(headers.get("cookie", ())).split(";"):
        key, _, text = pair.strip(" \t").partition("=")
        if key == name and text:
            return text
    return None
