"""The documents list every setting, limit, reason, close code and module."""

import dataclasses
import re
from typing import Any

import pytest

from chatter.charter import Author
from chatter.messages import Mentions, Posted, PostState, ReactionCount
from tests.support.log_truth import payload_of
from tests.support.server import ROOT
from web.io.rfc6455 import CloseCode
from web.settings import Settings, variable

PROTOCOL = (ROOT / "docs/protocol.md").read_text()
CONFIGURATION = (ROOT / "docs/configuration.md").read_text()
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()


def documented_row(field: "dataclasses.Field[object]") -> str:
    default = field.default
    shown = f"{default:g}" if isinstance(default, float) else str(default)
    cell = "" if default in ("", frozenset()) else f"`{shown}`"
    return f"| `--{field.name.replace('_', '-')}` | `{variable(field)}` | {cell} | {field.metadata['what']} |"


@pytest.mark.parametrize("field", dataclasses.fields(Settings), ids=lambda field: field.name)
def test_the_configuration_has_a_row_for_every_setting(field: "dataclasses.Field[object]") -> None:
    assert documented_row(field) in CONFIGURATION.splitlines()


def test_the_configuration_has_no_row_for_an_unknown_setting() -> None:
    documented = re.findall(r"^\| `--([a-z-]+)`", CONFIGURATION, re.MULTILINE)
    assert documented == [field.name.replace("_", "-") for field in dataclasses.fields(Settings)]


def test_the_protocol_has_a_row_for_every_limit() -> None:
    limit = re.compile("max_.*|.*_(timeout|window|size|rate)")
    limits = {field.name for field in dataclasses.fields(Settings) if limit.fullmatch(field.name)}
    documented = set(re.findall(r"^\| `(\w+)` \| ", PROTOCOL, re.MULTILINE))
    assert limits - {"stop_timeout", "close_batch_size"} <= documented


def test_the_protocol_has_a_row_for_every_reason() -> None:
    code = "\n".join(path.read_text() for folder in ("chatter", "web") for path in (ROOT / folder).rglob("*.py"))
    reasons = set(re.findall(r'(?:\bRefused|refuse)\("([a-z_ ]+)"[,)]', code))
    assert len(reasons) > 5
    reasons |= {"unauthorized", "join crashed", "invalid"}
    assert all(f"| `{reason}` |" in PROTOCOL for reason in reasons)


def test_the_protocol_has_a_row_for_every_field_of_a_message() -> None:
    at = "2026-05-04T12:00:00.123456Z"
    counts = (ReactionCount("👍", 1, ("bo",)),)
    done: dict[str, Any] = {
        "edits": 1,
        "edited_at": at,
        "deleted_at": at,
        "deleted_by": "ann",
        "pinned_at": at,
        "pinned_by": "bo",
    }
    thread: dict[str, Any] = {"reply_to": 1, "root": 1, "root_replies": 1, "replies": 2, "last_reply_seq": 8}
    state = PostState(changed=9, reactions=counts, **done, **thread)
    posted = Posted(2, "id", "ann", "text", at, False, 2, state, Author(1, "ann"), Mentions((1,)))
    fields = payload_of(posted).keys() - payload_of(Posted(1, "id", "ann", "text", at)).keys() - {"author"}
    documented = {
        name
        for cell in re.findall(r"^\| (`[^|]+) \| ", PROTOCOL, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }
    assert len(fields) > 10
    assert fields <= documented


# GOING_AWAY ends poll sessions only, whose clients get no close code.
@pytest.mark.parametrize("code", set(CloseCode) - {CloseCode.GOING_AWAY}, ids=lambda code: code.name)
def test_the_protocol_has_a_row_for_every_close_code(code: CloseCode) -> None:
    assert f"| {code:d} |" in PROTOCOL


def test_links_of_the_documents_lead_to_files() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!http|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_architecture_has_a_row_for_every_module() -> None:
    folders = ("chatter", "schema", "web")
    modules = {str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*.py")}
    modules = {name for name in modules if not re.search(r"__init__|node_modules|migrations/", name)}
    assert sorted(re.findall(r"^\| `([a-z0-9_/]+\.py)` \| [a-zA-Z`]", ARCHITECTURE, re.MULTILINE)) == sorted(modules)


def test_the_architecture_names_functions_and_classes_that_exist() -> None:
    table = ARCHITECTURE.split("## Where is …")[1].split("\n## ")[0]
    answers = re.findall(r"^\| [^|]+\? \| `([^`]+)` \| (.*) \|$", table, re.MULTILINE)
    assert len(answers) > 25
    for file, names in answers:
        code = (ROOT / file).read_text()
        for name in re.findall(r"`([\w.]+)`", names):
            assert re.search(rf"\b(def|class) {name.rsplit('.')[-1]}\b|^{name}\b", code, re.MULTILINE), (
                f"{file}: {name}"
            )
