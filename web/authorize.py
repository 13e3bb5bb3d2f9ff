"""The `authorize` hook: a function of the operator that decides who may join a room."""

import importlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, cast

from web.settings import BadSetting

Authorize: TypeAlias = Callable[..., bool | Awaitable[bool]]
"""Returns whether a client may join the room of this slug with these parameters; a third one is its principal."""


def load_authorize(path: str) -> Authorize:
    """Imports the function that `authorize` names; without a name all may join. Raises `BadSetting`."""
    if not path:
        return lambda _slug, _params: True
    module, _, name = path.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except Exception as error:  # a module may raise anything while it is imported
        raise BadSetting(f"--authorize: expected a function that can be imported, got {path!r}: {error}") from error
    fault = _hook_fault(function)
    if fault:
        raise BadSetting(f"--authorize: expected a function of a room and a join's parameters, got {fault}: {path!r}")
    return cast(Authorize, function)


def takes_principal(function: Any) -> bool:
    """Returns whether a hook wants to know who joins: it needs a third parameter, or has one of that name."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:
        return False  # nothing is known about some functions that are written in C
    positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return len(positional) > 2 and (positional[2].default is positional[2].empty or positional[2].name == "principal")


def _hook_fault(function: Any) -> str | None:
    """Returns why a hook can never answer True or False, as far as that can be seen."""
    if not callable(function):
        return "something that cannot be called"
    if inspect.isclass(function):
        return "a class"
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "a generator"
    try:
        inspect.signature(function).bind(*("lobby", {}, None)[: 3 if takes_principal(function) else 2])
    except TypeError as error:
        return f"one of which that is not true ({error})"
    except ValueError:
        pass  # nothing is known about some functions that are written in C
    return None
