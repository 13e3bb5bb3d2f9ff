"""Keys of a JWKS: which of them count, for how long, and how often they are fetched."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.keys import EC_KEY, OTHER_RSA_KEY, RSA_KEY, SHORT_RSA_KEY
from tests.support.server import PATIENCE
from tests.web.identity.jwks_server import Answer, JwksServer, answer
from tests.web.identity.tokens import (
    ED_KEY,
    GOOD,
    KEYS,
    SECRET,
    FakeClock,
    encoded,
    forged,
    jwk,
    pem,
    private_jwk,
    refusal_of,
    self_signed,
    signed,
    verified,
)
from web.http.outgoing import Outgoing
from web.identity import document
from web.identity.claims import ClaimRules, TokenRefused
from web.identity.document import LIFE, MAX_WAITING, REFRESH
from web.identity.jwks import PAUSE, Jwks
from web.identity.jwt import TokenVerifier
from web.identity.outgoing import MAX_BYTES, Fetch

UNKNOWN = "its kid is none of a key in the JWKS"
UNFETCHED = "the keys of tokens could not be fetched"


@pytest.fixture
def app() -> Iterator[JwksServer]:
    """An app that publishes one RSA key."""
    with JwksServer(jwk(RSA_KEY, "a")) as server:
        yield server


class Chat:
    """A server's verifier of an app's tokens, with a clock that the test moves."""

    def __init__(self, app: JwksServer, fetch: Fetch) -> None:
        self.clock = FakeClock(0)
        self._verifier = TokenVerifier(
            Jwks(app.url, fetch, self.clock), ClaimRules("", "", 30, FakeClock().nanoseconds)
        )

    async def verdict(self, kid: str | None = "a", key: Any = RSA_KEY, algorithm: str = "RS256") -> str:
        """Returns "ok", or why a token is refused."""
        try:
            await self._verifier.verify(signed(GOOD, key, algorithm, **({} if kid is None else {"kid": kid})))
        except TokenRefused as refused:
            return refused.reason
        return "ok"


def run(app: JwksServer, story: Callable[[Chat], Awaitable[None]]) -> None:
    async def play() -> None:
        with contextlib.closing(Outgoing()) as fetch:
            async with asyncio.timeout(PATIENCE):
                await story(Chat(app, fetch))

    asyncio.run(play())


async def happens(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, PATIENCE)


async def becomes(verdict: Callable[[], Awaitable[str]], expected: str) -> None:
    """Asks until the answer is this one: a fetch in the background has ended."""
    while await verdict() != expected:
        await asyncio.sleep(0.01)


# ---------------------------------------------------------------- keys and algorithms


@pytest.mark.parametrize("algorithm", KEYS)
def test_each_kind_of_key_verifies_its_tokens(algorithm: str) -> None:
    with JwksServer(*(jwk(key, name) for name, key in KEYS.items())) as app:
        assert verified(signed(GOOD, KEYS[algorithm], algorithm, kid=algorithm), jwt_jwks=app.url).subject == "7"


def test_a_token_without_kid_is_of_the_only_key(app: JwksServer) -> None:
    token = signed(GOOD, RSA_KEY, "RS256")
    assert verified(token, jwt_jwks=app.url).subject == "7"
    app.publish(jwk(RSA_KEY))
    assert verified(token, jwt_jwks=app.url).subject == "7"
    app.publish(jwk(RSA_KEY, "a"), jwk(EC_KEY, "b"))
    assert refusal_of(token, jwt_jwks=app.url) == UNKNOWN


FORGERIES: dict[str, tuple[str, str]] = {
    "none": (forged({"alg": "none", "kid": "a"}, GOOD), "algorithm"),
    "HS with the public key": (forged({"alg": "HS256", "kid": "a"}, GOOD, pem(RSA_KEY)), "algorithm"),
    "HS with the JWK": (forged({"alg": "HS256", "kid": "a"}, GOOD, json.dumps(jwk(RSA_KEY)).encode()), "algorithm"),
    "HS with the modulus": (forged({"alg": "HS256", "kid": "a"}, GOOD, jwk(RSA_KEY)["n"].encode()), "algorithm"),
    "another RSA key": (signed(GOOD, OTHER_RSA_KEY, "RS256", kid="a"), "signature"),
    "its own key": (signed(GOOD, OTHER_RSA_KEY, "RS256", kid="a", jwk=jwk(OTHER_RSA_KEY)), "signature"),
    "its own address": (signed(GOOD, OTHER_RSA_KEY, "RS256", kid="a", jku="http://127.0.0.1:9/"), "signature"),
    "another algorithm of RSA": (signed(GOOD, RSA_KEY, "PS256", kid="a"), "algorithm"),
    "a longer hash": (signed(GOOD, RSA_KEY, "RS512", kid="a"), "algorithm"),
    "another kind of key": (signed(GOOD, EC_KEY, "ES256", kid="a"), "algorithm"),
    "the kid of another key": (signed(GOOD, EC_KEY, "ES256", kid="ed"), "algorithm"),
    "a signature of zeros": (
        forged({"alg": "ES256", "kid": "ec"}, GOOD, EC_KEY, "ES256")[:-86] + "A" * 86,
        "signature",
    ),
    "a short signature": (forged({"alg": "EdDSA", "kid": "ed"}, GOOD, ED_KEY, "EdDSA")[:-22], "signature"),
    "no signature": (forged({"alg": "ES256", "kid": "ec"}, GOOD, EC_KEY, "ES256")[:-86], "signature"),
    "a path as kid": (signed(GOOD, SECRET, kid="../../dev/null"), "kid"),
    "crit": (signed(GOOD, RSA_KEY, "RS256", kid="a", crit=["x"], x=1), "extension"),
}


@pytest.mark.parametrize(("token", "reason"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(token: str, reason: str) -> None:
    with JwksServer(jwk(RSA_KEY, "a"), jwk(EC_KEY, "ec"), jwk(ED_KEY, "ed")) as app:
        assert reason in refusal_of(token, jwt_jwks=app.url)


LARGE_EXPONENT = jwk(RSA_KEY, "b") | {"e": encoded((2**1_000 + 1).to_bytes(126)).decode()}
UNFIT: dict[str, list[dict[str, Any]]] = {
    "weak": [jwk(SHORT_RSA_KEY, "b")],
    "too long": [jwk(RSA_KEY, "b") | {"n": jwk(RSA_KEY)["n"] * 3}],
    "large exponent": [LARGE_EXPONENT],
    "for encryption": [jwk(RSA_KEY, "b", use="enc")],
    "not to verify": [jwk(RSA_KEY, "b", key_ops=["encrypt"])],
    "another algorithm": [jwk(RSA_KEY, "b", alg="PS256")],
    "an algorithm of secrets": [jwk(RSA_KEY, "b", alg="HS256")],
    "none": [jwk(RSA_KEY, "b", alg="none")],
    "private": [private_jwk(RSA_KEY, "b")],
    "private on a curve": [private_jwk(EC_KEY, "b")],
    "secret": [{"kty": "oct", "k": "c2VjcmV0", "kid": "b"}],
    "another curve": [jwk(ec.generate_private_key(ec.SECP384R1()), "b")],
    "not on the curve": [jwk(EC_KEY, "b") | {"y": jwk(EC_KEY)["x"]}],
    "another Edwards curve": [jwk(ED_KEY, "b") | {"crv": "Ed448"}],
    "too short for its curve": [jwk(ED_KEY, "b") | {"x": "AAAA"}],
    "without modulus": [{"kty": "RSA", "e": "AQAB", "kid": "b"}],
    "modulus of another type": [{"kty": "RSA", "e": "AQAB", "n": 7, "kid": "b"}],
    "kid of another type": [jwk(RSA_KEY) | {"kid": 7}],
    "no key": [{}],
    "twice": [jwk(RSA_KEY, "b"), jwk(OTHER_RSA_KEY, "b")],
}


@pytest.mark.parametrize("entries", UNFIT.values(), ids=UNFIT)
def test_a_key_that_cannot_be_used_is_left_out(
    app: JwksServer, entries: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    app.publish(*entries, jwk(RSA_KEY, "a"))
    assert verified(signed(GOOD, RSA_KEY, "RS256", kid="a"), jwt_jwks=app.url).subject == "7"
    key = SHORT_RSA_KEY if entries == UNFIT["weak"] else RSA_KEY
    assert refusal_of(forged({"alg": "RS256", "kid": "b"}, GOOD, key, "RS256"), jwt_jwks=app.url) == UNKNOWN
    warnings = [record for record in caplog.records if "left out" in record.message]
    assert len(warnings) == 2  # one for each of the two servers that were asked
    assert jwk(RSA_KEY)["n"] not in caplog.text


def test_all_keys_may_be_withdrawn(app: JwksServer) -> None:
    app.publish()
    assert refusal_of(signed(GOOD, RSA_KEY, "RS256", kid="a"), jwt_jwks=app.url) == UNKNOWN


# ---------------------------------------------------------------- documents and answers

GOOD_DOCUMENT = json.dumps({"keys": [jwk(RSA_KEY, "a")]}).encode()


async def fetch_until_cut(app: JwksServer, chat: Chat, is_cut: threading.Event) -> None:
    """Has an answer fetched that is cut. Asks again where the time was over before the app was asked."""
    while not app.is_asked.is_set():
        chat.clock.seconds += PAUSE
        assert await chat.verdict() == UNFETCHED
    await happens(is_cut)


def drips() -> tuple[Answer, threading.Event]:
    """Makes an answer of a byte at a time, for ever: each one in time, all of them never. The event: it is cut."""
    is_cut = threading.Event()

    def respond(request: Any) -> None:
        try:
            request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                request.wfile.write(b"x")
                time.sleep(0.02)  # as slow servers do
        except OSError:
            is_cut.set()

    return respond, is_cut


def hangs_up(request: Any) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


UNUSABLE: dict[str, Answer] = {
    "not JSON": answer(b"<html>"),
    "not UTF-8": answer(b'{"keys":[{"kty":"\xff"}]}'),
    "without end": answer(b"[" * 60_000),
    "a list": answer(b"[]"),
    "no keys": answer(b"{}"),
    "keys that are no list": answer(b'{"keys":{"a":1}}'),
    "21 keys": answer(json.dumps({"keys": [jwk(RSA_KEY, str(number)) for number in range(21)]}).encode()),
    "oversized": answer(GOOD_DOCUMENT + b" " * MAX_BYTES),
    "oversized without a length": answer(
        GOOD_DOCUMENT + b" " * MAX_BYTES, headers={"Content-Length": "", "Connection": "close"}
    ),
    "not found": answer(GOOD_DOCUMENT, 404),
    "server error": answer(GOOD_DOCUMENT, 500),
    "partial": answer(GOOD_DOCUMENT, 206),
    "cut off": hangs_up,
}


@pytest.mark.parametrize("unusable", UNUSABLE.values(), ids=UNUSABLE)
def test_an_answer_that_is_no_set_of_keys_gives_none(
    app: JwksServer, unusable: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    app.answer = unusable
    assert refusal_of(signed(GOOD, RSA_KEY, "RS256", kid="a"), jwt_jwks=app.url) == UNFETCHED
    (line,) = [record for record in caplog.records if record.name == "web.identity.document"]
    assert (line.levelname, line.exc_info) == ("WARNING", None)
    assert app.url in line.message
    assert len(line.message) < 300


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(app: JwksServer, status: int) -> None:
    with JwksServer(jwk(RSA_KEY, "a")) as other:
        app.answer = answer(b"", status, {"Location": other.url})
        assert refusal_of(signed(GOOD, RSA_KEY, "RS256", kid="a"), jwt_jwks=app.url) == UNFETCHED
        assert other.fetches == 0


def test_nobody_at_the_address_is_a_temporary_refusal() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(TokenRefused) as refused:
            verified(signed(GOOD, RSA_KEY, "RS256", kid="a"), jwt_jwks=url)
    assert (refused.value.reason, refused.value.is_temporary) == (UNFETCHED, True)


def test_a_slow_answer_is_cut_after_a_time(app: JwksServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.http.outgoing.TIMEOUT", 0.3)
    app.answer, is_cut = drips()

    async def story(chat: Chat) -> None:
        await fetch_until_cut(app, chat, is_cut)

    run(app, story)


@pytest.mark.parametrize(
    ("host", "is_trusted", "verdict"),
    [("127.0.0.1", True, "ok"), ("127.0.0.1", False, UNFETCHED), ("127.0.0.2", True, UNFETCHED)],
)
def test_a_certificate_has_to_be_trusted_and_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, is_trusted: bool, verdict: str
) -> None:
    certificate = tmp_path / "app.pem"
    certificate.write_bytes(self_signed(host))
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def story(chat: Chat) -> None:
        assert await chat.verdict() == verdict

    with JwksServer(jwk(RSA_KEY, "a"), certificate=certificate) as app:
        run(app, story)
        assert app.fetches == (verdict == "ok")


def test_a_slow_answer_over_tls_is_cut_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = tmp_path / "app.pem"
    certificate.write_bytes(self_signed("127.0.0.1"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr("web.http.outgoing.TIMEOUT", 0.3)

    async def story(chat: Chat) -> None:
        await fetch_until_cut(app, chat, is_cut)

    with JwksServer(certificate=certificate) as app:
        app.answer, is_cut = drips()
        run(app, story)


# ---------------------------------------------------------------- how often, and for how long


def test_people_who_come_at_once_share_one_fetch(app: JwksServer) -> None:
    async def story(chat: Chat) -> None:
        app.may_answer.clear()
        tasks = [asyncio.ensure_future(chat.verdict()) for _ in range(50)]
        await happens(app.is_asked)
        app.may_answer.set()
        assert set(await asyncio.gather(*tasks)) == {"ok"}
        assert app.fetches == 1

    run(app, story)


def test_a_fetch_that_takes_long_stays_the_only_one(app: JwksServer) -> None:
    async def story(chat: Chat) -> None:
        app.may_answer.clear()
        early = asyncio.ensure_future(chat.verdict())
        await happens(app.is_asked)
        chat.clock.seconds += PAUSE
        late = asyncio.ensure_future(chat.verdict())
        await asyncio.sleep(0)
        app.may_answer.set()
        assert [await early, await late] == ["ok", "ok"]
        assert app.fetches == 1

    run(app, story)


def test_only_so_many_wait(app: JwksServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_WAITING", 3)

    async def story(chat: Chat) -> None:
        app.may_answer.clear()
        waiting = [asyncio.ensure_future(chat.verdict()) for _ in range(3)]
        await happens(app.is_asked)
        assert await chat.verdict() == UNFETCHED  # at once, as the others still wait
        app.may_answer.set()
        assert set(await asyncio.gather(*waiting)) == {"ok"}

    assert MAX_WAITING == 1_000
    run(app, story)


def test_who_gives_up_waiting_makes_room_for_others(app: JwksServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_WAITING", 1)

    async def story(chat: Chat) -> None:
        app.may_answer.clear()
        gone = asyncio.ensure_future(chat.verdict())
        await happens(app.is_asked)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        waiting = asyncio.ensure_future(chat.verdict())
        await asyncio.sleep(0)
        app.may_answer.set()
        assert await waiting == "ok"

    run(app, story)


def test_a_flood_of_unknown_kids_fetches_once_a_minute(app: JwksServer) -> None:
    async def story(chat: Chat) -> None:
        assert await chat.verdict() == "ok"
        for minute in range(3):
            chat.clock.seconds += PAUSE
            flood = await asyncio.gather(*(chat.verdict(f"unknown {number}", EC_KEY, "ES256") for number in range(200)))
            assert set(flood) == {UNKNOWN}
            assert await chat.verdict() == "ok"
            chat.clock.seconds += PAUSE - 1
            assert await chat.verdict("unknown", EC_KEY, "ES256") == UNKNOWN
            assert app.fetches == 2 + minute
            chat.clock.seconds -= PAUSE - 1

    run(app, story)


def test_a_new_key_counts_from_its_first_token(app: JwksServer) -> None:
    async def story(chat: Chat) -> None:
        assert await chat.verdict() == "ok"
        app.publish(jwk(RSA_KEY, "a"), jwk(EC_KEY, "b"))
        assert await chat.verdict("b", EC_KEY, "ES256") == UNKNOWN  # the last fetch was just now
        chat.clock.seconds += PAUSE
        assert await chat.verdict("b", EC_KEY, "ES256") == "ok"
        assert await chat.verdict() == "ok"
        assert app.fetches == 2

    run(app, story)


def test_known_keys_do_not_wait_for_the_network(app: JwksServer) -> None:
    async def story(chat: Chat) -> None:
        assert await chat.verdict() == "ok"
        app.is_asked.clear()
        app.may_answer.clear()
        chat.clock.seconds += REFRESH
        assert [await chat.verdict() for _ in range(100)] == ["ok"] * 100
        await happens(app.is_asked)  # the fetch is under way, and holds up nobody
        waiting = asyncio.ensure_future(chat.verdict("unknown", EC_KEY, "ES256"))
        known = asyncio.ensure_future(chat.verdict())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert known.done()
        assert not waiting.done()
        app.may_answer.set()
        assert await waiting == UNKNOWN
        assert app.fetches == 2

    run(app, story)


def test_a_withdrawn_key_is_refused_once_the_keys_are_refreshed(app: JwksServer) -> None:
    async def story(chat: Chat) -> None:
        assert await chat.verdict() == "ok"
        app.publish(jwk(EC_KEY, "b"))
        chat.clock.seconds += REFRESH - 1
        assert await chat.verdict() == "ok"
        assert app.fetches == 1
        chat.clock.seconds += 1
        await becomes(chat.verdict, UNKNOWN)
        assert app.fetches == 2

    run(app, story)


def test_keys_in_use_end_with_their_life_where_they_cannot_be_fetched(app: JwksServer) -> None:
    async def story(chat: Chat) -> None:
        assert await chat.verdict() == "ok"
        app.answer = answer(b"", 503)
        for _ in range(int(LIFE / PAUSE) - 1):
            chat.clock.seconds += PAUSE
            assert await chat.verdict() == "ok"
        chat.clock.seconds += PAUSE
        assert await chat.verdict() == UNFETCHED
        app.publish(jwk(RSA_KEY, "a"))
        chat.clock.seconds += PAUSE
        assert await chat.verdict() == "ok"

    run(app, story)


def test_the_life_of_keys_begins_when_they_are_asked_for(app: JwksServer) -> None:
    async def story(chat: Chat) -> None:
        app.may_answer.clear()
        first = asyncio.ensure_future(chat.verdict())
        await happens(app.is_asked)
        chat.clock.seconds += LIFE - 1
        app.may_answer.set()
        assert await first == "ok"
        app.answer = answer(b"", 503)
        chat.clock.seconds += 1
        assert await chat.verdict() == UNFETCHED

    run(app, story)
