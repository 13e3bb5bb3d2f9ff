"""Characters: which ones cannot be seen, which ones combine with others, and the normal form of a name.

web/client/text/characters.js has the same tables and rules. The tables are those of Unicode 17 as hexadecimal ranges.
"""

import functools
import re
import unicodedata

BLANK = "9-a 20 a0 1680 2000-200a 2028-2029 202f 205f 2800 3000 3164 ffa0"
"""White space: Unicode's categories Zs, Zl and Zp, tab, line feed, and letters and signs that look like a blank."""

INVISIBLE = """
0-8 b-1f 7f-9f ad 34f 61c 115f-1160 17b4-17b5 180b-180f 200b-200f 202a-202e 2060-206f fe00-fe0f feff fff0-fffb
13430-1343f 1bca0-1bca3 1d159 1d173-1d17a e0000-e0fff
"""
"""Control and format characters, and the rest of what Unicode calls default ignorable.

Format characters that are drawn, like the Arabic number sign, are not among them."""

MARKS = """
300-36f 483-489 591-5bd 5bf 5c1-5c2 5c4-5c5 5c7 610-61a 64b-65f 670 6d6-6dc 6df-6e4 6e7-6e8 6ea-6ed 711 730-74a
7a6-7b0 7eb-7f3 7fd 816-819 81b-823 825-827 829-82d 859-85b 897-89f 8ca-8e1 8e3-903 93a-93c 93e-94f 951-957 962-963
981-983 9bc 9be-9cd 9d7 9e2-9e3 9fe-a03 a3c-a51 a70-a71 a75 a81-a83 abc abe-acd ae2-ae3 afa-b03 b3c b3e-b57 b62-b63
b82 bbe-bcd bd7 c00-c04 c3c c3e-c56 c62-c63 c81-c83 cbc cbe-cd6 ce2-ce3 cf3-d03 d3b-d3c d3e-d4d d57 d62-d63 d81-d83
dca-ddf df2-df3 e31 e34-e3a e47-e4e eb1 eb4-ebc ec8-ece f18-f19 f35 f37 f39 f3e-f3f f71-f84 f86-f87 f8d-fbc fc6
102b-103e 1056-1059 105e-1060 1062-1064 1067-106d 1071-1074 1082-108d 108f 109a-109d 135d-135f 1712-1715 1732-1734
1752-1753 1772-1773 17b4-17d3 17dd 180b-180d 180f 1885-1886 18a9 1920-193b 1a17-1a1b 1a55-1a7f 1ab0-1aeb 1b00-1b04
1b34-1b44 1b6b-1b73 1b80-1b82 1ba1-1bad 1be6-1bf3 1c24-1c37 1cd0-1cd2 1cd4-1ce8 1ced 1cf4 1cf7-1cf9 1dc0-1dff
20d0-20f0 2cef-2cf1 2d7f 2de0-2dff 302a-302f 3099-309a a66f-a672 a674-a67d a69e-a69f a6f0-a6f1 a802 a806 a80b
a823-a827 a82c a880-a881 a8b4-a8c5 a8e0-a8f1 a8ff a926-a92d a947-a953 a980-a983 a9b3-a9c0 a9e5 aa29-aa36 aa43
aa4c-aa4d aa7b-aa7d aab0 aab2-aab4 aab7-aab8 aabe-aabf aac1 aaeb-aaef aaf5-aaf6 abe3-abea abec-abed fb1e fe00-fe0f
fe20-fe2f 101fd 102e0 10376-1037a 10a01-10a0f 10a38-10a3f 10ae5-10ae6 10d24-10d27 10d69-10d6d 10eab-10eac 10efa-10eff
10f46-10f50 10f82-10f85 11000-11002 11038-11046 11070 11073-11074 1107f-11082 110b0-110ba 110c2 11100-11102
11127-11134 11145-11146 11173 11180-11182 111b3-111c0 111c9-111cc 111ce-111cf 1122c-11237 1123e 11241 112df-112ea
11300-11303 1133b-1133c 1133e-1134d 11357 11362-11374 113b8-113d0 113d2 113e1-113e2 11435-11446 1145e 114b0-114c3
115af-115c0 115dc-115dd 11630-11640 116ab-116b7 1171d-1172b 1182c-1183a 11930-1193e 11940 11942-11943 119d1-119e0
119e4 11a01-11a0a 11a33-11a39 11a3b-11a3e 11a47 11a51-11a5b 11a8a-11a99 11b60-11b67 11c2f-11c3f 11c92-11cb6
11d31-11d45 11d47 11d8a-11d97 11ef3-11ef6 11f00-11f01 11f03 11f34-11f42 11f5a 13440 13447-13455 1611e-1612f
16af0-16af4 16b30-16b36 16f4f 16f51-16f92 16fe4-16ff1 1bc9d-1bc9e 1cf00-1cf46 1d165-1d169 1d16d-1d172 1d17b-1d182
1d185-1d18b 1d1aa-1d1ad 1d242-1d244 1da00-1da36 1da3b-1da6c 1da75 1da84 1da9b-1daaf 1e000-1e02a 1e08f 1e130-1e136
1e2ae 1e2ec-1e2ef 1e4ec-1e4ef 1e5ee-1e5ef 1e6e3 1e6e6 1e6ee-1e6ef 1e6f5 1e8d0-1e8d6 1e944-1e94a e0100-e01ef
"""
"""Unicode's category M: accents, vowel signs and all else that is drawn over, under or beside the character before."""

MAX_MARKS = 8
"""Most marks in a row. The Hebrew of the Bible needs six; without a bound they cover the lines above and below."""

_BEYOND = "\U00010000-\U0010ffff"


def _class(*tables: str, below: int = 0x110000) -> str:
    """Returns the inside of a regular expression's character class, of the ranges `below` a code."""
    ranges = [part.split("-") for table in tables for part in table.split()]
    return "".join(
        "-".join(re.escape(chr(int(end, 16))) for end in ends) for ends in ranges if int(ends[0], 16) < below
    )


def _members(table: str) -> frozenset[str]:
    """Returns the characters of a table."""
    ranges = [[int(end, 16) for end in part.split("-")] for part in table.split()]
    return frozenset(chr(code) for ends in ranges for code in range(ends[0], ends[-1] + 1))


# Python looks a character up in a bitmap where the class ends below U+10000, else it tries range after range, which
# takes 300 ns. So each exact test has a fast pattern before it, which takes all characters beyond for suspects.
_VISIBLE = re.compile(f"[^{_class(INVISIBLE, BLANK, MARKS)}]")
_VISIBLE_FAST = re.compile(f"[^{_class(INVISIBLE, BLANK, MARKS, below=0x10000)}{_BEYOND}]")
_LONG_SUSPECT_RUN = re.compile(f"[{_class(MARKS, below=0x10000)}{_BEYOND}]{{{MAX_MARKS + 1},}}")
_IS_MARK = _members(MARKS).__contains__  # takes 40 ns for any character, and reads a run once
_TOO_MANY = bytes([True] * (MAX_MARKS + 1))
_SUSPECT_MARK = re.compile(f"[{_class(MARKS, below=0x10000)}{_BEYOND}]")
_SUSPECT = re.compile(f"[{_class(INVISIBLE, MARKS, below=0x10000)}\u2800\u3164\uffa0{_BEYOND}]")
_BLANKS = re.compile(f"[{_class(BLANK)}]+")
_MARK_RUN = re.compile(f"([{_class(MARKS)}]{{{MAX_MARKS}}})[{_class(MARKS)}]+")

# Emoji are joined by U+200D and coloured by U+FE0F, and Persian and Indic letters are joined and parted by U+200C and
# U+200D. They stay where they do that; elsewhere they make two names that look alike.
_UNSEEN = _class(BLANK, INVISIBLE)
_HIGH = "[\u0600-\U0010ffff]"
_SYMBOL = "[\u203c\u2049\u2190-\u27bf\u2900-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
_AFTER_HIGH = f"(?:(?<={_HIGH})(?<![{_UNSEEN}])|(?<={_SYMBOL}\ufe0f))"
_JOINER = f"{_AFTER_HIGH}[\u200c\u200d](?={_HIGH})(?![{_UNSEEN}])"
_COLOUR = f"(?<={_SYMBOL})\ufe0f"
_DROPPED = re.compile(f"(?!{_JOINER}|{_COLOUR})[{_class(INVISIBLE)}]")
_ALL_INVISIBLE = re.compile(f"[{_class(INVISIBLE)}]+")

_ROUNDS = 4
"""How often the joiners of a name are judged. Real names need one round, or two where something is dropped."""

find_suspect = _SUSPECT.search
"""Finds what makes a text worth a closer look. Most texts have none: they are fine if they are not all white space."""


def has_visible(text: str) -> bool:
    """Returns whether something of the text can be seen. Marks count only with what they are drawn on."""
    return _VISIBLE_FAST.search(text) is not None or _VISIBLE.search(text) is not None


def has_long_mark_run(text: str) -> bool:
    """Returns whether more than `MAX_MARKS` marks follow each other."""
    if not _SUSPECT_MARK.search(text[MAX_MARKS :: MAX_MARKS + 1]):  # of a long run one in nine is there
        return False
    return any(_TOO_MANY in bytes(map(_IS_MARK, run)) for run in _LONG_SUSPECT_RUN.findall(text))


@functools.lru_cache(1_024)  # people say more than one word
def is_normal_name(name: str) -> bool:
    """Returns whether the name is in its normal form, and not empty."""
    return has_visible(name) and normal_name(name) == name


def normal_name(name: str) -> str:
    """Returns the one form of a name, which may be empty.

    It is in NFC. White space is one blank within and none at the ends, nothing else is invisible but what emoji and
    scripts need, and of a run of marks the first `MAX_MARKS` are there.
    """
    return _BLANKS.sub(" ", _without_unseen(_composed(name))).strip(" ")


def _without_unseen(name: str) -> str:
    """Drops what is invisible and not needed, until the name stays as it is.

    Marks that a dropped character parted are sorted, and then a joiner may have other neighbours than it had.
    """
    for _ in range(_ROUNDS):
        kept = _DROPPED.sub("", name)
        if kept == name:
            return name
        name = _composed(kept)
    return _composed(_ALL_INVISIBLE.sub("", name))


def _composed(name: str) -> str:
    """Bounds runs of marks, before because NFC sorts them in quadratic time, and after because it may add some."""
    return _MARK_RUN.sub(r"\1", unicodedata.normalize("NFC", _MARK_RUN.sub(r"\1", name)))
