"""What can be seen, and what a name becomes: the tables are Unicode's, and the browser has the same."""

import json
import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.server import ROOT
from web.channels import characters, requests
from web.channels.characters import MAX_MARKS, has_long_mark_run, has_visible, normal_name

BROWSER = (ROOT / "web/client/text/characters.js").read_text()
TABLES = ("BLANK", "INVISIBLE", "MARKS")
LOOK_BLANK = {"\t", "\n", "\u2800", "\u3164", "\uffa0"}
DRAWN_FORMATS = {chr(code) for code in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)}
IGNORABLE = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), 0x1D159}
IGNORABLE |= {0x2065, *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000)}

hostile = st.text(
    st.sampled_from("ab AZ1_-.\t\n\u00a0\u200b\u200c\u200d\u202e\u2066\ufe0f\ufeff\u00ad\u034f\u2800\u3164\u3000\u2028")
    | st.sampled_from("e\u0301\u0308\u0323\u0344\u212a\u2126\uac00\u1100\u1161\u0e47\u0958\ufb2c\U000e0041\U000e0100")
    | st.sampled_from("ع\u093f\u094dक👩💻❤🏴\U0001f1e9\U0001f3fdЁß王‼☠")
    | st.characters(exclude_categories=["Cs", "Cn"]),
    max_size=70,
)
# What reorders, joins, colours and parts: marks of many classes, joiners and emoji, and what is dropped between them.
unruly = st.text(
    st.sampled_from("\u200c\u200d\ufe0f")
    | st.sampled_from("\u05b4\u0323\u0301\u0f72\u094d\u093c\u064e\u0e47\u3099\u0344\u093f\U0001d165\U0001d16d")
    | st.sampled_from("\u00ad\u034f\u200b\ufe0e\U000e0041\U000e0100 \u2800\uffa0\u3164")
    | st.sampled_from("e\u0915\u0639👩❤\U0001f3fb\u1100\u1161\u11a8"),
    max_size=20,
)
slow_machines_too = settings(deadline=None)


def members(table: str) -> set[int]:
    codes: set[int] = set()
    for part in table.split():
        first, _, last = part.partition("-")
        codes.update(range(int(first, 16), int(last or first, 16) + 1))
    return codes


def is_of_the_tables_version() -> bool:
    """Whether this Python knows no character that is younger than the tables."""
    return tuple(map(int, unicodedata.unidata_version.split("."))) <= (17, 0, 0)


def belongs(table: str, char: str) -> bool:
    category = unicodedata.category(char)
    match table:
        case "BLANK":
            return category in {"Zs", "Zl", "Zp"} or char in LOOK_BLANK
        case "INVISIBLE":
            is_control = category in {"Cc", "Cf"} and char not in LOOK_BLANK | DRAWN_FORMATS
            return is_control or ord(char) in IGNORABLE
        case _:
            return category in {"Mn", "Mc", "Me"}


@pytest.mark.skipif(not is_of_the_tables_version(), reason="this Python knows younger characters than the tables")
@pytest.mark.parametrize("table", TABLES)
def test_the_tables_are_those_of_unicode(table: str) -> None:
    held = members(getattr(characters, table))
    assigned = {code for code in range(0x110000) if unicodedata.category(chr(code)) != "Cn" or code in IGNORABLE}
    assert {code for code in assigned if belongs(table, chr(code))} == held & assigned


@pytest.mark.parametrize("table", TABLES)
def test_the_browser_has_the_same_tables(table: str) -> None:
    found = re.search(rf'^export const {table} =\s+["`]([^"`]*)["`];', BROWSER, re.MULTILINE)
    assert found is not None
    assert found[1].split() == getattr(characters, table).split()


def test_the_browser_bounds_marks_alike() -> None:
    assert f"export const MAX_MARKS = {MAX_MARKS};" in BROWSER


def test_the_protocol_says_how_many_marks_may_follow_each_other() -> None:
    assert f"no more than {MAX_MARKS} combining marks may follow each other" in (ROOT / "docs/protocol.md").read_text()


# ---------------------------------------------------------------- blank


UNSEEN = ["\u200b", "\u2800", "\u3164", "\u00ad", "\u202e", "\u2066\u2069", "\u034f", "\ufe0f", "\U000e0041\U000e007f"]
UNSEEN += [
    "\u115f\u1160",
    "\u2060",
    "\ufeff",
    "\u180e",
    "\U000e0100",
    "\u200d",
    " \u200b ",
    "\u3000",
    "\u0301",
    "\uffa0",
]


@pytest.mark.parametrize("text", UNSEEN, ids=ascii)
def test_what_cannot_be_seen_is_blank(text: str) -> None:
    assert not has_visible(text)
    assert normal_name(text) == "" or not has_visible(normal_name(text))


@pytest.mark.parametrize(
    "text", ["a", ".", "\u200ba", "👩", "❤\ufe0f", "\u0600", "\ufffd", "\ue000", "¯", "1\u20e3", "ก็"]
)
def test_all_else_can_be_seen(text: str) -> None:
    assert has_visible(text)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("ann", "ann"),
        ("Ann of  the\tlake", "Ann of the lake"),
        (" \u3000ann\u00a0\u2028b\u2800c ", "ann b c"),
        ("ann\u200b", "ann"),
        ("a\u202enn", "ann"),
        ("\u2067ann\u2069", "ann"),
        ("ann\u200d", "ann"),
        ("an\u200cn", "ann"),
        ("ann\ufe0f", "ann"),
        ("so\u00adphie", "sophie"),
        ("\U000e0061ann", "ann"),
        ("e\u0301lan", "élan"),
        ("e\u200b\u0301lan", "élan"),
        ("\u212a", "K"),
        ("\u1112\u1161\u11ab", "한"),
        ("Z" + "\u0301" * 40, "Ź" + "\u0301" * (MAX_MARKS - 1)),
        ("ก" + "\u0e47" * 40, "ก" + "\u0e47" * MAX_MARKS),
    ],
    ids=ascii,
)
def test_a_name_has_one_form(name: str, normal: str) -> None:
    assert normal_name(name) == normal


@pytest.mark.parametrize(
    "name",
    [
        "👩\u200d💻 dev",
        "❤\ufe0f\u200d🔥",
        "Ann ❤\ufe0f",
        "🇩🇪",
        "👍🏽",
        "می\u200cخواهم",
        "क्\u200dष",
        "Đặng Thị Ái",
        "שָׁלוֹם",
        "ﷺ",
        "王",
    ],
    ids=ascii,
)
def test_a_name_that_needs_joiners_and_marks_keeps_them(name: str) -> None:
    assert normal_name(unicodedata.normalize("NFC", name)) == unicodedata.normalize("NFC", name)


@slow_machines_too
@given(hostile | unruly)
@example("\u212a\u200dع")
@example("\U0001f3fb\u200c\u0f72\ufe0e\u05b4")
@example("\u0323\u00ad\u094d\u200d\U0001d165")
@example("👩" + "\u200d\u0f72" * 7 + "\u200d\u00ad\u05b4")
@example("a\ufe0f\u200d👩")
@example("e" + "\u0301\u200b" * 30)
@example("\u0344" * 30)
def test_a_normal_name_stays_as_it_is(text: str) -> None:
    normal = normal_name(text)
    assert normal_name(normal) == normal
    assert unicodedata.is_normalized("NFC", normal)
    assert normal == " ".join(normal.split(" ")).strip()
    assert not has_long_mark_run(normal)
    assert not re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", normal)


@pytest.mark.node
@settings(deadline=None, max_examples=3)
@given(st.lists(hostile | unruly, min_size=300, max_size=300))
@example(["👩\u200d💻" + "\u200d\u0f72" * count + "\u200d\u00ad\u05b4" for count in range(8)])
def test_the_browser_makes_the_same_name_of_everything(names: list[str]) -> None:
    known = [name for name in names if not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", name)]
    program = f"""
      import {{ hasVisible, normalName }} from {json.dumps(str(ROOT / "web/client/text/characters.js"))};
      const names = {json.dumps(known)};
      console.log(JSON.stringify(names.map((name) => [normalName(name), hasVisible(name)])));
    """
    node = shutil.which("node")
    assert node is not None
    run = subprocess.run([node, "--input-type=module", "-e", program], check=True, capture_output=True, text=True)
    assert [tuple(pair) for pair in json.loads(run.stdout)] == [
        (normal_name(name), has_visible(name)) for name in known
    ]


# ---------------------------------------------------------------- work


@slow_machines_too
@given(st.text(st.sampled_from("\u0301\U0001d165\U000e0100") | st.sampled_from("a\U000e0001👩 "), max_size=60))
@example("👩" * MAX_MARKS + "\U0001d165" * (MAX_MARKS + 1))
@example(("\U0001d165" * MAX_MARKS + "\U000e0001") * 9)
def test_a_long_run_of_marks_is_found_wherever_it_is(text: str) -> None:
    runs = re.findall("[\u0301\U0001d165\U000e0100]+", text)
    assert has_long_mark_run(text) == any(len(run) > MAX_MARKS for run in runs)


def test_each_character_of_a_run_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    is_mark = characters._IS_MARK

    def look(char: str) -> bool:
        looked.append(char)
        return is_mark(char)

    monkeypatch.setattr(characters, "_IS_MARK", look)
    text = ("\U0001d165" * MAX_MARKS + "\U000e0001") * 444
    assert not has_long_mark_run(text)
    assert "".join(looked) == text


def lasting_repeats(parsed: object) -> list[int]:
    """The lengths of those repeats after which a pattern still asks for something, so that it may go back."""
    items = list(parsed)  # type: ignore[call-overload]
    lengths = []
    for place, (what, how) in enumerate(items):
        is_last = place == len(items) - 1
        if what in {op.MAX_REPEAT, op.MIN_REPEAT} and not is_last:
            lengths.append(how[1])
        for inner in how if isinstance(how, tuple | list) else ():
            if isinstance(inner, parser.SubPattern):
                lengths += lasting_repeats(inner)
    return lengths


PATTERNS = [
    value for module in (characters, requests) for value in vars(module).values() if isinstance(value, re.Pattern)
]


@pytest.mark.parametrize(
    "pattern", PATTERNS, ids=lambda pattern: pattern.pattern[:24].encode("unicode_escape").decode()
)
def test_no_pattern_goes_back_over_more_than_a_name(pattern: "re.Pattern[str]") -> None:
    assert all(length <= 64 for length in lasting_repeats(parser.parse(pattern.pattern, pattern.flags)))
