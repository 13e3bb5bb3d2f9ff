"""Placeholders in expected frames stand for values that a test cannot know.

`"<time>"` is any time; `"<time 1>"` is the same time wherever it recurs.
"""

import json
import re
import time
from typing import Any

_PLACEHOLDER = re.compile(r"<(id|time|seconds|number|phx_ref|token|text)(?: (\w+))?>")
_FORMS = {
    "id": r"[0-9a-f]{24}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "phx_ref": r"[A-Za-z0-9_-]{16}",
    "token": r"[A-Za-z0-9._-]{32,}",
    "text": r"(?s).+",
}
_UNIQUE = ("id", "phx_ref", "token")


class Placeholders:
    """Placeholders keeps the values of the named placeholders of one test."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Any] = {}

    def match(self, expected: Any, got: Any) -> bool:
        """Returns whether the JSON value `got` is `expected`.

        Key order does not count, but 1, 1.0 and true differ.
        """
        placeholder = _PLACEHOLDER.fullmatch(expected) if isinstance(expected, str) else None
        if placeholder is not None:
            return _has_form(placeholder[1], got) and self._is_consistent(placeholder[1], placeholder[2], got)
        if type(expected) is not type(got):
            return False
        if isinstance(expected, dict):
            return expected.keys() == got.keys() and all(self.match(expected[key], got[key]) for key in expected)
        if isinstance(expected, list):
            return len(expected) == len(got) and all(map(self.match, expected, got))
        return bool(expected == got)

    def _is_consistent(self, kind: str, name: str | None, got: Any) -> bool:
        if name is None:
            return True
        if (kind, name) in self._found:
            return bool(self._found[kind, name] == got)
        if kind in _UNIQUE and any(found == got for (of_kind, _), found in self._found.items() if of_kind == kind):
            return False
        self._found[kind, name] = got
        return True


def _has_form(kind: str, got: Any) -> bool:
    if kind == "seconds":
        return isinstance(got, int) and abs(got - time.time()) < 60
    if kind == "number":
        return type(got) is int
    return isinstance(got, str) and re.fullmatch(_FORMS[kind], got) is not None


def is_compact(text: str) -> bool:
    """Returns whether JSON has no white space and no escapes that it does not need."""
    return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False) == text


# ---------------------------------------------------------------- payloads of many frames

OK = '{"response":{},"status":"ok"}'
_POSITION = '"base":"<number>","epoch":"<number>","missed":0,"more":false,"recovered":true,"seq":"<number>"'
JOINED = f'{{"response":{{{_POSITION}}},"status":"ok"}}'
INVALID = '{"response":{"field":"payload","message":"<text>","reason":"invalid"},"status":"error"}'


def refused(reason: str) -> str:
    """Returns the payload of an error reply."""
    return f'{{"response":{{"reason":"{reason}"}},"status":"error"}}'


UNMATCHED = refused("unmatched topic")


def posted(seq: int, name: str, message: str) -> str:
    """Returns the payload of a `new_message`."""
    text = f'"message":"{message}","name":"{name}"'
    return f'{{"id":"<id {seq}>","inserted_at":"<time {seq}>",{text},"seq":{seq}}}'


def saved(seq: int) -> str:
    """Returns the payload of the reply to a `new_message` that has this seq."""
    return f'{{"response":{{"id":"<id {seq}>","inserted_at":"<time {seq}>","seq":{seq}}},"status":"ok"}}'
