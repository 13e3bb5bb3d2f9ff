"""Bodies: what a request may say, field by field, and what is wrong with it."""

from typing import Any, TypeAlias

import msgspec

from chatter.accounts.values import AccountRefused

Body: TypeAlias = dict[str, Any]

LONGEST = 1_024
"""Characters of any text in a body."""


def object_of(body: bytes) -> Body:
    """Returns the body as an object. Raises `AccountRefused`, as all of these do."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise invalid("body", "expected an object in JSON") from error
    if not isinstance(value, dict):
        raise invalid("body", "expected an object in JSON")
    return value


def only(body: Body, *fields: str) -> None:
    """Refuses a field that means nothing here: it may be a mistake that somebody relies on."""
    for field in body:
        if field not in fields:
            raise invalid(field[:64], f"expected one of {', '.join(fields)}")


def text(body: Body, field: str) -> str:
    """Returns a required text."""
    value = optional_text(body, field)
    if value is None:
        raise invalid(field, "expected a text, got nothing")
    return value


def optional_text(body: Body, field: str) -> str | None:
    """Returns an optional text. What it may be beside a text is decided by whom it is for."""
    value = body.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid(field, "expected a text")
    if "\0" in value:
        raise invalid(field, "expected no NUL, which PostgreSQL cannot store")
    if len(value) > LONGEST:
        raise invalid(field, f"expected at most {LONGEST} characters, got {len(value)}")
    return value


def one_of(body: Body, field: str, default: str, *others: str) -> str:
    """Returns an optional word, which is one of these."""
    value = optional_text(body, field)
    if value is not None and value not in (default, *others):
        raise invalid(field, f"expected {' or '.join((default, *others))}")
    return value or default


def number(body: Body, field: str, least: float, most: float, default: float | None) -> float | None:
    """Returns an optional number; `default` where the field is missing, and None where it is null."""
    if field not in body:
        return default
    value = body[field]
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise invalid(field, f"expected a number from {least:g} to {most:g}")
    return value


def texts(body: Body, field: str, most: int) -> list[str]:
    """Returns a required list of texts."""
    value = body.get(field)
    if not isinstance(value, list) or not 0 < len(value) <= most or not all(isinstance(each, str) for each in value):
        raise invalid(field, f"expected a list of 1 to {most} texts")
    return value


def invalid(field: str, message: str) -> AccountRefused:
    """Makes the error that names a field."""
    return AccountRefused("invalid", field=field, message=message)
