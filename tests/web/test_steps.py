"""Work over foreign bytes grows no faster than these: every regular expression of the edge takes each byte once."""

import ast
from pathlib import Path

import pytest

from tests.support.server import ROOT
from tests.support.steps import is_single_pass

EDGE = [path for folder in ("channels", "http", "io", "transport") for path in (ROOT / "web" / folder).glob("*.py")]
USES = {"compile", "fullmatch", "match", "search", "sub", "split", "findall", "finditer"}


def patterns(path: Path) -> list[str]:
    """The regular expressions in a module."""
    return [
        call.args[0].value
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and (call.func.value.id, call.func.attr) in {("re", use) for use in USES}
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    ]


def test_no_regular_expression_tries_a_byte_twice() -> None:
    known = {(path.name, pattern) for path in EDGE for pattern in patterns(path)}
    assert len(known) > 2
    assert {(name, pattern) for name, pattern in known if not is_single_pass(pattern)} == set()


@pytest.mark.parametrize(
    "pattern",
    [r"([a-z]+):[ \t]*([\x20-\x7e]*)", r"a*a*b", r"a*.a*b", r"(a+)+b", r"(a|b)*a*c", r"\s*\s*x", r"a+?[ab]+x"],
)
def test_what_would_is_found(pattern: str) -> None:
    assert not is_single_pass(pattern)


@pytest.mark.parametrize("pattern", [r"a*ba*", r"[a-z]++[a-z:]*", r"a{1,3}a*", r"(a|b)*c*", r"[ \t]*+[\x20-\x7e]*+"])
def test_what_would_not_is_let_pass(pattern: str) -> None:
    assert is_single_pass(pattern)
