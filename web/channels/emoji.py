"""Emoji: whether a text is a single one, as Unicode Technical Standard 51 puts them together.

Which sequences have a picture differs by system and year, so it is looked at how one is built, not at a list.
"""

import re
import unicodedata

MAX_KEY_BYTES = 32
"""Longest emoji, in UTF-8."""

_PRESENTATION = "\ufe0f"
"""Asks for the picture where there is a text form too. With it or without it is the same emoji."""

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_FLAG_LETTER = re.compile("[\U0001f1e6-\U0001f1ff]")
_KEYCAP = re.compile("[0-9#*]\u20e3")
_TAGS = re.compile("[\U000e0020-\U000e007e]{1,6}\U000e007f")
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_JOINER = "\u200d"

_PICTURES = ("So", "Sm", "Po", "Pd")
"""Categories of characters that have a picture, outside of ASCII."""


def emoji(text: str) -> str | None:
    """Returns an emoji without what only asks for its picture; None for anything else."""
    key = text.replace(_PRESENTATION, "")
    if not key or len(key.encode("utf-8", "replace")) > MAX_KEY_BYTES:
        return None
    if _FLAG.fullmatch(key) or _KEYCAP.fullmatch(key):
        return key
    base = _TAGS.sub("", key, count=1) if key[0] == "\U0001f3f4" else key
    return key if all(map(_is_picture, base.split(_JOINER))) else None


def _is_picture(part: str) -> bool:
    shown = part if len(part) == 1 else _SKIN.sub("", part, count=1)
    is_character = len(shown) == 1 and not shown.isascii() and not _FLAG_LETTER.match(shown)
    return is_character and unicodedata.category(shown) in _PICTURES
