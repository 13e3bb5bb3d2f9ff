"""Signing in with a provider that does as it should, and with those that do not, over real sockets."""

import asyncio
import gzip
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.support.keys import EC_KEY, OTHER_EC_KEY, OTHER_RSA_KEY, RSA_KEY, SHORT_RSA_KEY
from tests.support.oidc_provider import CLIENT_ID, SECRET, Answer, OidcProvider, jwk
from tests.web.identity.tokens import FakeClock
from web.http.outgoing import Outgoing
from web.identity import jwks, oidc, outgoing
from web.identity.document import LIFE, REFRESH
from web.identity.id_token import Outside
from web.identity.oidc import NotSignedIn, OpenIdConnect, Starter, is_page
from web.identity.oidc_provider import PAUSE, Provider, ProviderFault
from web.oidc_clients import OidcClient

CALLBACK = "http://127.0.0.1:1/api/oidc/test/callback"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as started:
        yield started


class Finished(NamedTuple):
    """Somebody has signed in with a provider."""

    person: Outside
    page: str
    starter: Starter | None


class Visit:
    """One server, and a browser of it that signs in with the provider."""

    def __init__(self, provider: OidcProvider, *others: OidcProvider, secret: str = SECRET) -> None:
        self.provider = provider
        self.fetch = Outgoing()
        ids = ["test", *(f"other{number}" for number, _ in enumerate(others))]
        providers = dict(zip(ids, [provider, *others], strict=True))
        clients = [OidcClient(id, each.issuer, CLIENT_ID, id, secret) for id, each in providers.items()]
        self.clock = FakeClock(0)
        self.connect = OpenIdConnect(clients, self.fetch, self.clock)

    async def begin(self, id: str = "test", page: str = "/rooms/x", starter: Starter | None = None) -> str:
        return await self.connect.begin(id, browser="b", redirect_uri=CALLBACK, page=page, starter=starter)

    async def finish(self, url: str, id: str = "test", browser: str = "b", callback: str = CALLBACK) -> Finished:
        answered = parse_qs(urlsplit(url).query, keep_blank_values=True)
        begun = self.connect.resume(id, browser=browser, answered=answered)
        person = await self.connect.finish(id, begun, browser=browser, redirect_uri=callback, answered=answered)
        return Finished(person, begun.page, begun.starter)

    async def sign_in(self) -> Finished:
        return await self.finish(self.provider.sign_in(await self.begin()))


def visit(
    provider: OidcProvider,
    does: Callable[[Visit], Awaitable[Any]] = Visit.sign_in,
    *others: OidcProvider,
    secret: str = SECRET,
) -> Any:
    async def run() -> Any:
        visiting = Visit(provider, *others, secret=secret)
        try:
            return await does(visiting)
        finally:
            visiting.fetch.close()

    return asyncio.run(run())


# ---------------------------------------------------------------- as it should be


def test_somebody_signs_in_and_goes_on_where_they_were(provider: OidcProvider) -> None:
    person, page, starter = visit(provider)
    assert (person.issuer, person.subject, person.name) == (provider.issuer, "248289761001", "Ann Example")
    assert (page, starter) == ("/rooms/x", None)
    assert provider.asked == [DISCOVERY, "/token", "/jwks"]


def test_who_has_begun_comes_back_with_the_answer(provider: OidcProvider) -> None:
    async def links(visiting: Visit) -> Finished:
        return await visiting.finish(provider.sign_in(await visiting.begin(starter=Starter(5, 12))))

    assert visit(provider, links).starter == Starter(5, 12)


def test_no_two_visits_share_a_secret(provider: OidcProvider) -> None:
    async def begins(visiting: Visit) -> list[str]:
        return [await visiting.begin() for _ in range(2)]

    one, other = (
        {name: query[0] for name, query in parse_qs(urlsplit(url).query).items()} for url in visit(provider, begins)
    )
    for name in ("state", "nonce", "code_challenge"):
        assert one[name] != other[name]
        assert len(one[name]) >= 43


def test_what_a_provider_says_of_itself_and_its_keys_are_asked_for_once(provider: OidcProvider) -> None:
    async def many(visiting: Visit) -> None:
        await asyncio.gather(*(visiting.sign_in() for _ in range(5)))

    visit(provider, many)
    assert (provider.asked.count(DISCOVERY), provider.asked.count("/jwks")) == (1, 1)


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic", "client_secret_post"]])
def test_the_secret_is_sent_as_the_provider_takes_it(provider: OidcProvider, methods: list[str]) -> None:
    provider.discovery["token_endpoint_auth_methods_supported"] = methods
    assert visit(provider).page == "/rooms/x"


def test_a_public_client_has_no_secret(provider: OidcProvider) -> None:
    provider.secret = None
    assert visit(provider, secret="").page == "/rooms/x"


ED_KEY = ed25519.Ed25519PrivateKey.generate()
ED_JWK = {**jwt.algorithms.OKPAlgorithm.to_jwk(ED_KEY.public_key(), as_dict=True), "kid": "ed"}


@pytest.mark.parametrize("signs_with", [(EC_KEY, "ES256", "ec"), (ED_KEY, "EdDSA", "ed")])
def test_tokens_are_signed_with_any_public_key_that_is_listed(provider: OidcProvider, signs_with: Any) -> None:
    provider.jwks.append(ED_JWK)
    provider.signs_with = signs_with
    assert visit(provider).person.subject == "248289761001"


def test_the_only_key_needs_no_name(provider: OidcProvider) -> None:
    provider.jwks = provider.jwks[:1]
    provider.signs_with = (RSA_KEY, "RS256", None)
    assert visit(provider).person.subject == "248289761001"


def test_a_new_key_is_asked_for_at_most_once_a_minute(provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    async def renews(visiting: Visit) -> int:
        await visiting.sign_in()
        provider.jwks, provider.signs_with = [jwk("new", OTHER_RSA_KEY.public_key())], (OTHER_RSA_KEY, "RS256", "new")
        for _ in range(3):
            with pytest.raises(NotSignedIn, match="its kid is none"):
                await visiting.sign_in()
        asked = provider.asked.count("/jwks")
        visiting.clock.seconds += jwks.PAUSE
        await visiting.sign_in()
        return asked

    assert visit(provider, renews) == 1


# ---------------------------------------------------------------- what others may try


def refusal(
    provider: OidcProvider, does: Callable[[Visit], Awaitable[Any]] = Visit.sign_in, *others: OidcProvider
) -> str:
    with pytest.raises(NotSignedIn) as refused:
        visit(provider, does, *others)
    assert SECRET not in str(refused.value)
    return str(refused.value)


def test_the_state_of_another_browser_is_refused(provider: OidcProvider) -> None:
    async def other_browser(visiting: Visit) -> None:
        await visiting.finish(provider.sign_in(await visiting.begin()), browser="other")

    assert "state: not one of ours" in refusal(provider, other_browser)
    assert "/token" not in provider.asked


def test_a_state_counts_once_with_the_same_code_or_another(provider: OidcProvider) -> None:
    async def again(visiting: Visit) -> None:
        begun = await visiting.begin()
        callback = provider.sign_in(begun)
        await visiting.finish(callback)
        for replayed in (callback, provider.sign_in(begun)):
            with pytest.raises(NotSignedIn, match="state: used before"):
                await visiting.finish(replayed)

    visit(provider, again)
    assert provider.asked.count("/token") == 1


def test_a_replayed_code_is_refused(provider: OidcProvider) -> None:
    async def replays(visiting: Visit) -> None:
        callback = provider.sign_in(await visiting.begin())
        await visiting.finish(callback)
        fresh = parse_qs(urlsplit(await visiting.begin()).query)["state"][0]
        used = parse_qs(urlsplit(callback).query)["code"][0]
        await visiting.finish(f"{CALLBACK}?code={used}&state={fresh}")

    assert "invalid_grant" in refusal(provider, replays)


def test_the_code_of_somebody_elses_visit_is_refused(provider: OidcProvider) -> None:
    """A code that was stolen is bound to the verifier and the nonce of the visit that it was made for."""

    async def injects(visiting: Visit) -> None:
        stolen = parse_qs(urlsplit(provider.sign_in(await visiting.begin())).query)["code"][0]
        state = parse_qs(urlsplit(await visiting.begin()).query)["state"][0]
        await visiting.finish(f"{CALLBACK}?code={stolen}&state={state}")

    assert "invalid_grant" in refusal(provider, injects)


def test_an_answer_of_another_issuer_is_refused(provider: OidcProvider) -> None:
    async def mixes_up(visiting: Visit) -> None:
        await visiting.finish(provider.sign_in(await visiting.begin("test")), "other0")

    with OidcProvider() as other:
        assert "begun with test, and answered as other0" in refusal(provider, mixes_up, other)
        assert other.asked == []


@pytest.mark.parametrize("said", [{"iss": "https://evil.example"}, {"iss": ""}])
def test_an_answer_that_names_another_issuer_is_refused(provider: OidcProvider, said: dict[str, str]) -> None:
    provider.callback = said
    refusal(provider)
    assert "/token" not in provider.asked


def test_a_provider_that_promises_to_name_itself_has_to(provider: OidcProvider) -> None:
    provider.discovery["authorization_response_iss_parameter_supported"] = True
    assert "expected one iss" in refusal(provider)
    provider.callback = {"iss": provider.issuer}
    assert visit(provider).page == "/rooms/x"


def test_a_state_ends_after_ten_minutes(provider: OidcProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    assert oidc.STATE_LIFE == 600
    monkeypatch.setattr(oidc, "STATE_LIFE", 0.0)
    assert "state: expired" in refusal(provider)


@pytest.mark.parametrize(
    "query", ["", "code=x", "state=x", "state=x&state=y&code=z", "state=%00&code=x", "state=é&code=x"]
)
def test_an_answer_without_a_state_of_ours_is_refused(provider: OidcProvider, query: str) -> None:
    refusal(provider, lambda visiting: visiting.finish(f"{CALLBACK}?{query}"))
    assert provider.asked == []


def test_somebody_who_says_no_there_is_not_signed_in(provider: OidcProvider) -> None:
    provider.callback = {"error": "access_denied"}
    with pytest.raises(NotSignedIn) as refused:
        visit(provider)
    assert refused.value.reason == "cancelled"
    assert "/token" not in provider.asked


def test_the_callback_is_the_one_that_was_begun_with(provider: OidcProvider) -> None:
    async def elsewhere(visiting: Visit) -> None:
        await visiting.finish(provider.sign_in(await visiting.begin()), callback="http://127.0.0.1:2/other")

    assert "invalid_grant" in refusal(provider, elsewhere)


# ---------------------------------------------------------------- tokens

NOW = int(time.time())
"""When the tests were collected, which may be minutes before one runs."""

CLAIMS: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "a nonce that is no text": {"nonce": 5},
    "another issuer": {"iss": "https://evil.example"},
    "the issuer with a slash": {"iss": "slash"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "other"},
    "no audience": {"aud": None},
    "an empty audience": {"aud": []},
    "several audiences": {"aud": [CLIENT_ID, "other"]},
    "several audiences, for another": {"aud": [CLIENT_ID, "other"], "azp": "other"},
    "for another": {"azp": "other"},
    "expired": {"exp": NOW - 31},
    "no end": {"exp": None},
    "an end that is none": {"exp": "soon"},
    "made in the future": {"iat": NOW + 86_400},
    "made long ago": {"iat": NOW - 3_600},
    "made at no time": {"iat": None},
    "made at a time that is none": {"iat": "1"},
    "not yet": {"nbf": NOW + 86_400},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a long subject": {"sub": "x" * 256},
    "a subject with a line": {"sub": "a\nb"},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_a_token_with_wrong_claims_is_refused(provider: OidcProvider, claims: dict[str, Any]) -> None:
    provider.claims = {**claims, **({"iss": f"{provider.issuer}/"} if claims.get("iss") == "slash" else {})}
    refusal(provider)


@pytest.mark.parametrize("claims", [{"aud": [CLIENT_ID]}, {"aud": [CLIENT_ID, "b"], "azp": CLIENT_ID}])
def test_a_token_with_unusual_claims_counts(provider: OidcProvider, claims: dict[str, Any]) -> None:
    provider.claims = claims
    assert visit(provider).person.subject == "248289761001"


def test_a_token_that_has_just_expired_counts(provider: OidcProvider) -> None:
    provider.claims = {"exp": time.time() - 1}
    assert visit(provider).person.subject == "248289761001"


PUBLIC_PEM = b"-----BEGIN PUBLIC KEY----- as bytes for a shared key"
SIGNED: dict[str, tuple[Any, str, str | None]] = {
    "unsigned": (None, "none", None),
    "unsigned with a known key": (None, "none", "rsa"),
    "by another key of the same name": (OTHER_RSA_KEY, "RS256", "rsa"),
    "by another key without a name": (OTHER_RSA_KEY, "RS256", None),
    "by an unknown key": (OTHER_RSA_KEY, "RS256", "new"),
    "by a shared key": (SECRET.encode().ljust(32), "HS256", None),
    "by the public key as a shared one": (PUBLIC_PEM, "HS256", "rsa"),
    "by the right key in another way": (RSA_KEY, "RS512", "rsa"),
    "by the right key with padding of another kind": (RSA_KEY, "PS256", "rsa"),
    "by another curve key": (OTHER_EC_KEY, "ES256", "ec"),
    "by the name of a key of another kind": (EC_KEY, "ES256", "rsa"),
    "by a key for other uses": (OTHER_RSA_KEY, "RS256", "enc"),
    "by a short key": (SHORT_RSA_KEY, "RS256", "short"),
    "by a listed shared key": (b"0" * 32, "HS256", "oct"),
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("signs_with", SIGNED.values(), ids=SIGNED)
def test_a_token_with_a_wrong_signature_is_refused(provider: OidcProvider, signs_with: Any) -> None:
    provider.jwks += [
        jwk("enc", OTHER_RSA_KEY.public_key(), use="enc"),
        jwk("short", SHORT_RSA_KEY.public_key()),
        {"kty": "oct", "k": "MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA", "kid": "oct"},
    ]
    provider.signs_with = signs_with
    refusal(provider)


@pytest.mark.parametrize("keys", [None, "x", {}, [None, 5, {}], [{"kty": "RSA"}], [{"kty": ["RSA"]}]])
def test_keys_that_are_none_are_no_keys(provider: OidcProvider, keys: Any) -> None:
    provider.jwks = keys
    refusal(provider)


# ---------------------------------------------------------------- what a provider may do

FAULTS = {
    "slow": Answer(200, b"{}", delay=30),
    "redirecting": Answer(302, headers={"Location": "/jwks"}),
    "failing": Answer(500),
    "not JSON": Answer(200, b"<html>"),
    "not an object": Answer(200, b"[]"),
    "nested": Answer(200, b"[" * 50_000),
    "not UTF-8": Answer(200, b"\xff\xfe{"),
    "missing": Answer(404),
    "empty": Answer(200),
}


@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/jwks"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_provider_that_does_not_answer_as_it_should_lets_nobody_in(
    provider: OidcProvider, path: str, fault: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault.delay:
        monkeypatch.setattr("web.http.outgoing.TIMEOUT", 1.0)  # also for the requests before it
    provider.answers[path] = fault
    refusal(provider)
    assert provider.asked[-1] == path  # a redirect is not followed


def test_a_request_has_five_seconds_and_64_kilobytes() -> None:
    assert (outgoing.TIMEOUT, outgoing.MAX_BYTES) == (5.0, 65_536)


def described(provider: OidcProvider) -> bytes:
    """What the provider says of itself, as it should."""
    return provider.answer("/.well-known/openid-configuration").body


@pytest.mark.parametrize(("size", "counts"), [(65_536, True), (65_537, False), (1_000_000, False)])
def test_an_answer_of_more_than_64_kilobytes_is_not_read(provider: OidcProvider, size: int, counts: bool) -> None:
    provider.answers[DISCOVERY] = Answer(200, described(provider).ljust(size))
    if counts:
        visit(provider)
    else:
        assert "discovery: no answer" in refusal(provider)


def test_a_compressed_answer_is_not_unpacked(provider: OidcProvider) -> None:
    compressed = gzip.compress(described(provider))
    provider.answers[DISCOVERY] = Answer(200, compressed, headers={"Content-Encoding": "gzip"})
    refusal(provider)


@pytest.mark.parametrize(
    ("url", "is_fit"),
    [
        ("https://id.example.org/token?a=b", True),
        ("http://127.0.0.1:9000/token", True),
        ("http://[::1]:9000/token", True),
        ("http://localhost/token", True),
        ("http://192.0.2.1/token", False),
        ("http://localhost.evil.example/token", False),
        ("http://127.0.0.1.evil.example/token", False),
        ("http://127.0.0.1@evil.example/token", False),
        ("ftp://localhost/token", False),
        ("https:///token", False),
        ("https://id.example.org/\\evil", False),
        ("https://id.example.org/ x", False),
        ("https://id.example.org/#x", False),
        ("https://id.example.org:port/", False),
    ],
)
def test_requests_go_to_https_or_this_machine(url: str, is_fit: bool) -> None:
    assert (outgoing.fault_of(url) is None) is is_fit


def test_a_provider_that_is_away_is_asked_again_after_a_pause(provider: OidcProvider) -> None:
    async def tries(visiting: Visit) -> None:
        provider.answers[DISCOVERY] = Answer(503)
        for _ in range(3):
            with pytest.raises(NotSignedIn) as refused:
                await visiting.begin()
            assert refused.value.reason == "unavailable"
        assert len(provider.asked) == 1
        del provider.answers[DISCOVERY]
        visiting.clock.seconds += PAUSE
        await visiting.sign_in()

    visit(provider, tries)


def test_what_a_provider_says_counts_for_an_hour_and_is_asked_for_after_ten_minutes(provider: OidcProvider) -> None:
    async def hours(visiting: Visit) -> None:
        await visiting.begin()
        provider.answers[DISCOVERY] = Answer(503)
        visiting.clock.seconds = REFRESH - 1
        await visiting.begin()
        assert provider.asked == [DISCOVERY]
        visiting.clock.seconds = REFRESH
        await visiting.begin()  # which does not wait for the answer
        while provider.asked != [DISCOVERY] * 2:
            await asyncio.sleep(0.01)
        visiting.clock.seconds = LIFE - 1
        await visiting.begin()
        visiting.clock.seconds = LIFE
        with pytest.raises(NotSignedIn) as refused:
            await visiting.begin()
        assert refused.value.reason == "unavailable"

    visit(provider, hours)


DISCOVERED = {
    "another issuer": {"issuer": "https://evil.example"},
    "its issuer with a slash": {"issuer": "slash"},
    "no issuer": {"issuer": None},
    **{f"no {name}": {name: None} for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")},
    "plain http": {"token_endpoint": "http://192.0.2.1/token"},
    "plain http under a name": {"token_endpoint": "http://localhost.evil.example/token"},
    "a file": {"jwks_uri": "file:///etc/passwd"},
    "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "a person in the address": {"token_endpoint": "https://me:secret@example.org/"},
    "a line in the address": {"authorization_endpoint": "https://example.org/\r\nSet-Cookie: a=b"},
    "no host": {"token_endpoint": "https:///token"},
    "no port": {"token_endpoint": "https://example.org:x/token"},
}


@pytest.mark.parametrize("said", DISCOVERED.values(), ids=DISCOVERED)
def test_a_provider_that_says_something_else_of_itself_is_refused(provider: OidcProvider, said: dict[str, Any]) -> None:
    provider.discovery = {"issuer": f"{provider.issuer}/"} if said == {"issuer": "slash"} else said
    refusal(provider)
    assert provider.asked == [DISCOVERY]


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_a_provider_elsewhere_has_nothing_asked_for_on_this_machine(name: str) -> None:
    issuer = "https://id.example.org"
    said = dict.fromkeys(("authorization_endpoint", "token_endpoint", "jwks_uri"), f"{issuer}/x") | {"issuer": issuer}

    async def configuration(**other: str) -> None:
        async def fetch(url: str, **_: object) -> outgoing.Answer:
            assert url == f"{issuer}{DISCOVERY}"
            return outgoing.Answer(200, json.dumps(said | other).encode())

        await Provider(OidcClient("test", issuer, CLIENT_ID, "Test ID"), fetch, time.monotonic).configuration()

    asyncio.run(configuration())
    with pytest.raises(ProviderFault, match=f"{name}: it is not https"):
        asyncio.run(configuration(**{name: "http://127.0.0.1:6379/"}))


# ---------------------------------------------------------------- where somebody goes on


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/rooms/x",
        "/rooms/x/5",
        "/rooms/%C3%A9",
        "/?a=b",
        "/rooms/a.b~c#5",
        "/rooms/..a/x.",
    ],
)
def test_a_page_of_ours(address: str) -> None:
    assert is_page(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "rooms/x",
        "//evil.example",
        "//evil.example/rooms/x",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/rooms/\\x",
        "/rooms/x\r\nSet-Cookie: a=b",
        "/rooms/x\n",
        "/rooms/é",
        "/rooms/ x",
        "/api/rooms",
        "/rooms/..",
        "/rooms/../api/oidc/other/start",
        "/rooms/x/%2E./%2e%2e//evil.example",
        "/rooms/./x",
        "/socket/websocket",
        "/rooms/" + "x" * 300,
        "/join/abcde23456",  # a provider is told the page
    ],
)
def test_what_is_no_page_of_ours(address: str) -> None:
    assert not is_page(address)
