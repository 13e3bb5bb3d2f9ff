"""The accelerator: C in the place of some functions of Python, where it was built and is not turned off.

Which of the two is in use is settled when this module is imported. Both do the same.
"""

import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar, cast

VARIABLE = "CHATTER_ACCELERATOR"
"""The variable of the environment that has Python do everything where it is `off`."""

VALUES = ("auto", "off")

Function = TypeVar("Function", bound=Callable[..., Any])


def _load() -> ModuleType | None:
    if os.environ.get(VARIABLE) == "off":
        return None
    try:
        return importlib.import_module("web._accelerator")
    except ImportError:
        return None  # no compiler was there when Chatter was installed


C = _load()
"""The module in C, None where Python does everything."""

PYTHON: dict[str, Callable[..., Any]] = {} if C is None else C.PYTHON
"""The functions in Python that have one of the same name in C, which may call them for what is seldom."""


def accelerated(function: Function) -> Function:
    """Returns the function of the same name in C; `function` itself where Python does everything."""
    PYTHON[function.__name__] = function
    return function if C is None else cast(Function, getattr(C, function.__name__))
