"""Counts the steps that code takes over foreign bytes: how much it reads and copies, whatever the machine does besides.

`Bytes`, `Text` and `Buffer` behave as the types they extend, and count their length each time they are searched, cut,
joined or compared. Steps within a regular expression cannot be counted so; `is_single_pass` judges these.
"""

import re._constants as kinds  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable
from typing import Any

LONG = 32
"""A repeat of more than so many characters counts as one without an end."""

ALPHABET = frozenset(range(256))


class Counter:
    """What was counted since it was made."""

    steps = 0

    @classmethod
    def of(cls, work: Callable[[], object]) -> int:
        """The steps of `work`, whatever it raises of what bad input may raise."""
        Counter.steps = 0
        try:
            work()
        except ValueError:
            pass
        return Counter.steps


def _counting(kind: type, name: str) -> Callable[..., Any]:
    original = getattr(kind, name)

    def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        Counter.steps += len(self)
        return _wrapped(original(self, *arguments, **options))

    return counted


def _cutting(kind: Any) -> Callable[[Any, Any], Any]:
    original = kind.__getitem__

    def cut(self: Any, place: Any) -> Any:
        piece = original(self, place)
        Counter.steps += len(piece) if isinstance(place, slice) else 1
        return _wrapped(piece)

    return cut


def _wrapped(result: Any) -> Any:
    match result:
        case list() | tuple():
            return type(result)(_wrapped(each) for each in result)
        case str():
            return Text(result)
        case bytes():
            return Bytes(result)
        case _:
            return result


_METHODS = [
    "__add__",
    "__contains__",
    "__eq__",
    "count",
    "endswith",
    "find",
    "index",
    "isascii",
    "isalnum",
    "isdigit",
    "join",
    "lower",
    "lstrip",
    "partition",
    "replace",
    "rfind",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
]


class Bytes(bytes):
    """Bytes that count."""

    for _name in [*_METHODS, "decode"]:
        locals()[_name] = _counting(bytes, _name)
    __getitem__ = _cutting(bytes)
    __hash__ = bytes.__hash__


class Text(str):
    """Text that counts."""

    for _name in [*_METHODS, "encode", "isprintable", "isspace"]:
        locals()[_name] = _counting(str, _name)
    __getitem__ = _cutting(str)
    __hash__ = str.__hash__


class Buffer(bytearray):
    """A buffer that counts what is copied: what is cut out of it, what moves up, what is new at its end."""

    __getitem__ = _cutting(bytearray)

    def __init__(self, content: Iterable[int] = b"") -> None:
        super().__init__(content)
        Counter.steps += len(self)

    def __iadd__(self, more: Any) -> "Buffer":  # type: ignore[misc]
        Counter.steps += len(more)
        super().extend(more)
        return self

    def __delitem__(self, place: Any) -> None:
        super().__delitem__(place)
        Counter.steps += len(self)


# ---------------------------------------------------------------- regular expressions


def is_single_pass(pattern: str) -> bool:
    """Whether no two repeats without an end can share a text between them, so that none is tried twice."""
    return _judge(parser.parse(pattern), frozenset()) is not None


def _judge(items: Any, shared: "frozenset[int]") -> "frozenset[int] | None":
    """What repeats up to the end of `items` might give to the next; None where two of them share something."""
    for kind, what in items:
        match kind:
            case kinds.MAX_REPEAT | kinds.MIN_REPEAT if what[1] > LONG:
                taken = _taken(what[2])
                if taken & shared or _has_long_repeat(what[2]):
                    return None
                shared = shared | taken if what[0] == 0 else (shared & taken) | taken
            case kinds.SUBPATTERN:
                inner = _judge(what[3], shared)
                if inner is None:
                    return None
                shared = inner
            case kinds.BRANCH:
                branches = [_judge(branch, shared) for branch in what[1]]
                if None in branches:
                    return None
                shared = frozenset().union(*(branch for branch in branches if branch is not None))
            case kinds.MAX_REPEAT | kinds.MIN_REPEAT | kinds.POSSESSIVE_REPEAT | kinds.ATOMIC_GROUP:
                pass  # takes little, or gives nothing back
            case kinds.ASSERT | kinds.ASSERT_NOT:
                if _judge(what[1], frozenset()) is None:
                    return None
            case kinds.AT:
                pass
            case _:
                shared = shared & _taken([(kind, what)])
    return shared


def _has_long_repeat(items: Any) -> bool:
    return any(
        (kind in (kinds.MAX_REPEAT, kinds.MIN_REPEAT) and (what[1] > LONG or _has_long_repeat(what[2])))
        or (kind is kinds.SUBPATTERN and _has_long_repeat(what[3]))
        for kind, what in items
    )


def _taken(items: Any) -> "frozenset[int]":
    """The characters, of the first 256, that may stand in a text of `items`."""
    taken: frozenset[int] = frozenset()
    for kind, what in items:
        match kind:
            case kinds.LITERAL:
                taken |= {what}
            case kinds.NOT_LITERAL:
                taken |= ALPHABET - {what}
            case kinds.RANGE:
                taken |= set(range(what[0], min(what[1], 255) + 1))
            case kinds.IN:
                negated = what[0][0] is kinds.NEGATE
                inside = _taken(what[negated:])
                taken |= ALPHABET - inside if negated else inside
            case kinds.SUBPATTERN:
                taken |= _taken(what[3])
            case kinds.MAX_REPEAT | kinds.MIN_REPEAT | kinds.POSSESSIVE_REPEAT:
                taken |= _taken(what[2])
            case kinds.BRANCH:
                for branch in what[1]:
                    taken |= _taken(branch)
            case kinds.AT | kinds.ASSERT | kinds.ASSERT_NOT:
                pass
            case _:
                taken |= ALPHABET  # a category, or any character: more than it may be, to be sure
    return taken
