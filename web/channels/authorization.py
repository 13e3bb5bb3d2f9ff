"""Authorization: asks the `authorize` hook whether a client may join a room.

A hook answers True or False, at once or, if it is async, later. Anything else it does admits nobody.
"""

import asyncio
import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from chatter.accounts.principal import Principal
from chatter.messages import Reason
from web.authorize import Authorize, takes_principal

logger = logging.getLogger(__name__)

Verdict: TypeAlias = Reason | None
"""Why a join is refused, or None where it is granted."""

CRASHED: Reason = "join crashed"  # Phoenix's words for a join that raises


class Authorization:
    """Owns the hook of a server."""

    def __init__(self, hook: Authorize, timeout: float) -> None:
        """`timeout` is how long an async hook may take, in seconds."""
        self._hook = hook
        self._takes_principal = takes_principal(hook)
        self._timeout = timeout
        self._has_complained = False  # of an answer that is none

    def decide(self, slug: str, params: Mapping[str, Any], principal: Principal) -> "Verdict | PendingVerdict":
        """Asks the hook, and returns its verdict or, if it is async, where that will be."""
        try:
            answer = self._hook(slug, params, principal) if self._takes_principal else self._hook(slug, params)
            if answer is True:
                return None
            if inspect.isawaitable(answer):
                return PendingVerdict(asyncio.ensure_future(answer), self._timeout, slug, self.verdict_of)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:  # a hook's own cancellation among them: a join is always answered
            logger.exception("the authorize hook failed for room %s", slug)
            return CRASHED
        return self.verdict_of(answer)

    def verdict_of(self, answer: object) -> Verdict:
        """Returns what an answer means: a hook that says neither True nor False has not been understood."""
        if answer is True:
            return None
        if answer is False:
            return "unauthorized"
        if not self._has_complained:
            self._has_complained = True
            logger.error(
                "the authorize hook is wrong, and nobody it answers so may join: expected True or False, got %s",
                type(answer).__name__,
            )
        return CRASHED


class PendingVerdict:
    """The answer of an async hook, while it is awaited."""

    __slots__ = ("_on_verdict", "_slug", "_task", "_timer", "_verdict_of")

    def __init__(
        self, task: "asyncio.Future[Any]", timeout: float, slug: str, verdict_of: Callable[[object], Verdict]
    ) -> None:
        self._task = task
        self._slug = slug
        self._verdict_of = verdict_of
        self._on_verdict: Callable[[Verdict], None] | None = None
        self._timer = asyncio.get_running_loop().call_later(timeout, self._give_up, timeout)
        task.add_done_callback(self._on_answer)

    def then(self, on_verdict: Callable[[Verdict], None]) -> None:
        """Calls `on_verdict` once the hook has answered or taken too long, unless `cancel` is called before."""
        self._on_verdict = on_verdict

    def cancel(self) -> None:
        """Stops waiting, and cancels the hook."""
        self._on_verdict = None
        self._timer.cancel()
        self._task.cancel()

    def _on_answer(self, task: "asyncio.Future[Any]") -> None:
        self._timer.cancel()
        try:
            verdict = self._verdict_of(task.result())
        except BaseException:  # asyncio itself raises those that end the process
            if self._on_verdict is not None:
                logger.exception("the authorize hook failed for room %s", self._slug)
            verdict = CRASHED
        self._tell(verdict)

    def _give_up(self, timeout: float) -> None:
        logger.error("the authorize hook took longer than %g s for room %s", timeout, self._slug)
        self._tell(CRASHED)
        self._task.cancel()

    def _tell(self, verdict: Verdict) -> None:
        on_verdict, self._on_verdict = self._on_verdict, None
        if on_verdict is not None:
            on_verdict(verdict)
