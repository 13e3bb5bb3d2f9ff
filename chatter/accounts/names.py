"""Names: which handles there may be, and what a name looks like.

Two names with one skeleton can be taken for each other: `Ann`, `a n n` and `аnn` with a Cyrillic letter are `ann`.
"""

import functools
import re
import unicodedata

from chatter.accounts.confusables import TABLE
from schema.purge import DELETED_ACCOUNT

HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,30}[a-z0-9]")
"""A handle ends in no sign: `@ann.` at the end of a sentence is ann."""

GUEST_SUFFIX = " (guest)"
"""What a guest's name ends with where an account has the name. No account's own name does."""

AT_SIGNS = ("@", "\uff20", "\ufe6b")
"""What no name begins with: so handles are written."""

NO_HANDLES = frozenset({"all", "channel", "everyone", "guest", "here", "me", "room", "system"})
"""What means somebody else, or everybody, where it is written with an @."""

_LIKE_A_GUEST = re.compile(r"[(\[{（［]\s*guest\s*[)\]}）］]\s*\Z", re.IGNORECASE)

LONGEST_HANDLE = 32

_DROPPED = frozenset(
    {"Cc", "Cf", "Co", "Cn", "Me", "Mn", "Sk", "Zl", "Zp", "Zs", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps"}
)
_ORNAMENTS = frozenset({"Sm", "So"})
"""Signs and emoji: beside letters and digits they are ornaments, alone they are a name."""

_LOOK_ALIKES = (("rn", "m"), ("vv", "w"))
"""Two letters that are taken for one."""

SKELETON_VERSION = 3
"""Of the rules here. What the database has of other ones is made anew at the start."""

_COPTIC = zip(range(0x2C80, 0x2CB2), (letter for letter in "ΑΒΓΔΕϚΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ" for _ in "Aa"), strict=True)
"""Coptic letters, large and small, are drawn like the large Greek ones, whose order they have."""

_DRAWN = re.compile(r"(?:LATIN LETTER SMALL CAPITAL|NEGATIVE (?:CIRCL|SQUAR)ED LATIN CAPITAL LETTER) ([A-Z])")
_SHAPES = (*range(0x250, 0x2B0), *range(0x1D00, 0x1D80), *range(0xA730, 0xA800), *range(0x1F150, 0x1F200))
"""Where letters are that look like others in another shape, which have no simpler form."""

_UNSEEN = "\u115f\u1160\u17b4\u17b5\u2800"  # letters and signs that are drawn as nothing; NFKD makes more into these


def bare(name: str) -> str:
    """Returns a name in small letters without accents, blanks and punctuation, in compatible forms."""
    if name.isascii():
        return re.sub(r"[\W_]", _symbol, name.lower())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(sign for sign in folded if unicodedata.category(sign) not in _DROPPED and sign not in _UNSEEN)


@functools.lru_cache(4_096)  # people say more than one word; the first takes 5 µs, and 20 where it is not ASCII
def skeleton(name: str) -> str:
    """Returns what a name looks like; "" where it has no letter, digit or emoji."""
    table = _confusables()
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name).translate(table)  # before capitals become small: Ν is not ν
    plain = _without_ornaments(bare(name).translate(table))
    for pair, letter in _LOOK_ALIKES:
        plain = plain.replace(pair, letter)
    return plain


def is_handle(text: str) -> bool:
    """Returns whether this may be a handle."""
    return HANDLE.fullmatch(text) is not None and text not in NO_HANDLES and not is_nobodys(text)


def is_name(text: str, most: int) -> bool:
    """Returns whether this, in its normal form, may be the name of an account."""
    looks_like_others = text.startswith(AT_SIGNS) or _LIKE_A_GUEST.search(text) or is_nobodys(text)
    is_free = bool(skeleton(text)) and not looks_like_others
    return is_free and 0 < len(text) <= most


def is_nobodys(name: str) -> bool:
    """Returns whether a name looks like what is left of the names of those who are gone."""
    return skeleton(name) == skeleton(DELETED_ACCOUNT)


def handle_from(text: str) -> str:
    """Returns a handle that resembles a text, as other servers call people."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    handle = re.sub(r"[^a-z0-9._-]+", "-", plain).strip("._-")[:24].strip("._-")
    return handle if is_handle(handle) else f"user-{handle}".strip("-")


def suggestion(name: str, most: int) -> str:
    """Returns the name that a guest may have in place of a reserved one, of at most `most` characters."""
    plain = name.lstrip("".join(AT_SIGNS)).strip().removesuffix(GUEST_SUFFIX)
    room = max(0, most - len(GUEST_SUFFIX))
    return (plain[:room].rstrip() + GUEST_SUFFIX).strip()[:most]


def _without_ornaments(text: str) -> str:
    if text.isalnum() and text.isascii():
        return text
    return "".join(sign for sign in text if not _is_ornament(sign)) or text


def _is_ornament(sign: str) -> bool:
    """Modifier letters are ornaments too, but not what scripts write words with: the long vowels of Japanese."""
    category = unicodedata.category(sign)
    return category in _ORNAMENTS or (category == "Lm" and unicodedata.name(sign, "").startswith("MODIFIER LETTER"))


def _symbol(match: "re.Match[str]") -> str:
    return match[0] if unicodedata.category(match[0]) not in _DROPPED else ""


@functools.cache
def _confusables() -> dict[int, str]:
    """Takes 1 ms to make, so a server without accounts does without."""
    table = {
        ord(letter): target
        for line in TABLE.split("\n")
        if line
        for target, letters in [line.split(" ")]
        for letter in letters
    }
    drawn = {code: m[1].lower() for code in _SHAPES if (m := _DRAWN.fullmatch(unicodedata.name(chr(code), "")))}
    return {coptic: table.get(ord(greek), greek.lower()) for coptic, greek in _COPTIC} | drawn | table
