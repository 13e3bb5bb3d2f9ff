"""Scenario (m) measures people with accounts beside guests, and what others feel of sign-ins and of guessed passwords.

All are measured in one run of one server, and compared there: guests and people with accounts take turns.
"""

import http.client
import json
import math
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from bench.plan import Arrival, Group, Outcome, Step, Traffic
from bench.scenario import Context, Figure, Figures, Scenario
from bench.seed_people import seed_accounts
from bench.server_session import ServerSession
from bench.servers import Server

PEOPLE, RATE = 200, 200.0
"""In the room of guests and in that of accounts, with as many messages a second in each."""

SIGN_INS = 10_000 / 60
"""Connections a second that show a token, each another one."""

GUESSES = 500
"""Wrong passwords, of as many handles in turn."""

GUESS_RATE, GUESSERS = 100.0, 16
"""Passwords a second, as far as the server answers, and how many are tried at the same time."""

GUESTS = Group("guests", rooms=1, people=PEOPLE, publishers=10, room_prefix="guests")


def _measure(server: Server, context: Context) -> Figures:
    turns, seconds = (2, 3.0) if context.quick else (5, 4.0)
    arrival_seconds = 12.0 if context.quick else 30.0
    with tempfile.TemporaryDirectory(prefix="chatter-bench-") as folder:
        database = Path(folder) / "bench.db"
        count = round(SIGN_INS * arrival_seconds)
        tokens = seed_accounts(database, PEOPLE + count)
        accounts = Group(
            "accounts", rooms=1, people=PEOPLE, publishers=10, tokens=tokens[:PEOPLE], room_prefix="accounts"
        )
        with ServerSession(server, GUESTS, accounts, database=database) as session:
            beside = _beside(session, context, accounts, turns, seconds)
            guesses = _guesses(session, context, seconds=GUESSES / GUESS_RATE, turns=turns)
            sign_ins = _sign_ins(session, context, tokens[PEOPLE:], arrival_seconds)
    return {**beside, **guesses, **sign_ins}


# ---- Messages


def _beside(session: ServerSession, context: Context, accounts: Group, turns: int, seconds: float) -> dict[str, float]:
    """Returns how much more the messages of accounts cost, and take, than those of guests."""
    cost: dict[str, list[float]] = {GUESTS.name: [], accounts.name: []}
    p50: dict[str, list[float]] = {GUESTS.name: [], accounts.name: []}
    for _ in range(turns):
        for group in (GUESTS, accounts):
            outcome = _talk(session, context, group, seconds)
            cost[group.name].append(session.cpu_per_delivery(outcome))
            p50[group.name].append(outcome.latency(0.5))
    return {"cpu": _ratio(cost, accounts), "p50": _ratio(p50, accounts)}


def _talk(session: ServerSession, context: Context, group: Group, seconds: float, what: str = "talk") -> Outcome:
    outcome = session.run(Step((Traffic(group.name, RATE),), warm_up=0.5, seconds=seconds, abort_latency=60.0))
    context.report_step(session.server, f"{group.name} {what}", outcome, session.server_cpu)
    return outcome


def _ratio(values: dict[str, list[float]], accounts: Group) -> float:
    return median(values[accounts.name]) / median(values[GUESTS.name])


# ---- Sign-ins by token


def _sign_ins(session: ServerSession, context: Context, tokens: tuple[str, ...], seconds: float) -> dict[str, float]:
    """Returns the CPU of an arrival by that of a guest, and what those who talk feel of each."""
    cpu, p99 = {}, {}
    quiet = session.run(Step((Traffic(GUESTS.name, RATE),), seconds=seconds, abort_latency=60.0))
    context.report_step(session.server, "nobody comes", quiet, session.server_cpu)
    base = session.server_cpu
    for name, shown in (("guests come", ()), ("accounts come", tokens)):
        crowd = Group(name, rooms=50, people=len(tokens) // 50, tokens=shown, with_name=False, room_prefix=name[:4])
        step = Step(
            (Traffic(GUESTS.name, RATE),),
            Arrival(crowd, rate=SIGN_INS),
            seconds=seconds,
            abort_latency=60.0,
        )
        outcome = session.run(step)
        context.report_step(session.server, f"{name}, {SIGN_INS:.0f} a second", outcome, session.server_cpu)
        if outcome.failed or outcome.disconnected:
            return {"sign_in": math.nan, "sign_in_p99": math.nan}
        cpu[name] = 1e3 * (session.server_cpu - base) / crowd.size
        p99[name] = outcome.latency(0.99)
    context.print_line(
        f"    CPU of an arrival: guest {cpu['guests come']:.2f} ms, account {cpu['accounts come']:.2f} ms;"
        f" p99 of talk {quiet.latency(0.99):.2f}, {p99['guests come']:.2f} and {p99['accounts come']:.2f} ms"
    )
    return {"sign_in": cpu["accounts come"], "sign_in_p99": p99["accounts come"] - quiet.latency(0.99)}


# ---- Wrong passwords


def _guesses(session: ServerSession, context: Context, seconds: float, turns: int) -> dict[str, float]:
    """Returns what those who talk feel of passwords that are tried: by one network, and by many."""
    quiet: list[float] = []
    one: list[float] = []
    many: list[float] = []
    for _ in range(turns):
        quiet.append(_talk(session, context, GUESTS, seconds).latency(0.99))
        for felt, networks in ((one, 1), (many, 250)):
            with _guessing(session.open()[0].port, networks) as answered:
                outcome = _talk(session, context, GUESTS, seconds, f"while {networks} networks guess")
            felt.append(outcome.latency(0.99))
            context.print_line(f"    {sum(answered)} guesses answered")
    base = median(quiet)
    return {"guesses_p99": median(one) - base, "flood_p99": median(many) - base}


@contextmanager
def _guessing(port: int, networks: int) -> Iterator[list[int]]:
    """Tries passwords meanwhile, in threads of which each has its share; yields the numbers of answers."""
    answered, is_over = [0] * GUESSERS, threading.Event()

    def guess(guesser: int) -> None:
        began = time.monotonic()
        for number in range(guesser, GUESSES, GUESSERS):
            if is_over.wait(max(0.0, began + number / GUESS_RATE - time.monotonic())):
                return
            answered[guesser] += _guess(port, f"127.2.0.{1 + number % networks}", f"person{number}")

    threads = [threading.Thread(target=guess, args=(guesser,), daemon=True) for guesser in range(GUESSERS)]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def _guess(port: int, address: str, handle: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
    body = json.dumps({"handle": handle, "password": "guessed wrong"})
    headers = {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/json"}
    connection.request("POST", "/api/sessions", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status in (401, 503)


SCENARIO = Scenario(
    "m",
    "signed in",
    f"{PEOPLE} people with accounts beside {PEOPLE} guests on one server, in a room each",
    {
        "cpu": Figure("server CPU per delivery, accounts beside guests", "×", digits=2),
        "p50": Figure("p50, accounts beside guests", "×", digits=2),
        "sign_in": Figure(f"server CPU of a sign-in by token, at {60 * SIGN_INS:,.0f} a minute", "ms", digits=2),
        "sign_in_p99": Figure("p99 of the guests' messages, more than without them", "ms", is_compared=False),
        "guesses_p99": Figure(
            f"p99 of messages, more while one network tries {GUESSES} passwords", "ms", is_compared=False
        ),
        "flood_p99": Figure("the same from 250 networks", "ms", is_compared=False),
    },
    _measure,
    for_peers=False,
    in_quick=False,
)
