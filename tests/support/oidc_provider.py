"""A small OpenID provider on 127.0.0.1, which does as it should until a test has it do otherwise."""

import base64
import hashlib
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.keys import EC_KEY, RSA_KEY
from tests.support.serving import serving

CLIENT_ID = "chatter"
SECRET = "shh: it+has/signs"


class Answer:
    """What a provider answers in place of what it should."""

    def __init__(
        self, status: int = 200, body: bytes = b"", *, delay: float = 0.0, headers: dict[str, str] | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.delay = delay
        self.headers = headers or {}


class OidcProvider:
    """`with OidcProvider() as provider:` serves one client. A browser that is sent to it comes back signed in.

    Everything that a test may turn is a public field: the person, claims of the next tokens, answers by path.
    """

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "248289761001", "name": "Ann Example"}
        self.claims: dict[str, Any] = {}  # over those of the ID token; None leaves one out
        self.discovery: dict[str, Any] = {}  # over what it says of itself
        self.answers: dict[str, Answer] = {}  # by path, in place of its own
        self.callback: dict[str, str] = {}  # over what it tells the client through the browser
        self.header: dict[str, Any] = {}  # over the head of the ID token
        self.jwks: list[dict[str, Any]] = [jwk("rsa", RSA_KEY.public_key()), jwk("ec", EC_KEY.public_key())]
        self.signs_with: tuple[Any, str, str | None] = (RSA_KEY, "RS256", "rsa")  # key, algorithm, kid
        self.secret: str | None = SECRET
        self.asked: list[str] = []  # the paths, in order
        self._codes: dict[str, dict[str, str]] = {}
        self._release = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._serving = serving(self._server)

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def setting(self, id: str = "test", label: str = "Test ID") -> str:
        """Returns the entry of the setting `oidc`."""
        return f"{id},{self.issuer},{CLIENT_ID},{label}"

    def sign_in(self, url: str) -> str:
        """Does what a person and a provider do at an authorization address; returns where the browser goes then."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], **self.callback})}"

    def __enter__(self) -> Self:
        self._serving.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._release.set()
        self._serving.__exit__(*error)

    # ------------------------------------------------------------ what it answers

    def answer(self, path: str, form: dict[str, str] | None = None, authorization: str | None = None) -> Answer:
        """Answers a request."""
        if path in self.answers:
            return self.answers[path]
        match path:
            case "/.well-known/openid-configuration":
                return _json(self._configuration())
            case "/jwks":
                return _json({"keys": self.jwks})
            case "/token":
                return self._token(form or {}, authorization)
        return Answer(404)

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            **self.discovery,
        }

    def _token(self, form: dict[str, str], authorization: str | None) -> Answer:
        asked = self._codes.pop(form.get("code", ""), None)
        if not self._knows_client(form, authorization):
            return _json({"error": "invalid_client"}, 401)
        if asked is None or form.get("grant_type") != "authorization_code":
            return _json({"error": "invalid_grant"}, 400)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if asked["code_challenge"] != challenge.decode() or asked["redirect_uri"] != form["redirect_uri"]:
            return _json({"error": "invalid_grant"}, 400)
        return _json({"access_token": "unused", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])})

    def _knows_client(self, form: dict[str, str], authorization: str | None) -> bool:
        if self.secret is None or authorization is None:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, self.secret)
        id, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        return (unquote_plus(id), unquote_plus(secret)) == (CLIENT_ID, self.secret)

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        key, algorithm, kid = self.signs_with
        told = {name: claim for name, claim in (claims | self.person | self.claims).items() if claim is not None}
        return jwt.encode(told, key, algorithm, headers={**({"kid": kid} if kid else {}), **self.header})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path.startswith("/authorize?"):
                    self._say(Answer(302, headers={"Location": provider.sign_in(self.path)}))
                    return
                self._say(self._answered(urlsplit(self.path).path))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                self._say(self._answered(self.path, form, self.headers["Authorization"]))

            def _answered(self, path: str, *sent: Any) -> Answer:
                provider.asked.append(path)
                return provider.answer(path, *sent)

            def _say(self, answer: Answer) -> None:
                provider._release.wait(answer.delay)
                try:
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                except ConnectionError:
                    self.close_connection = True  # the client has heard enough

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def jwk(kid: str, key: Any, **more: str) -> dict[str, Any]:
    """Describes a public key."""
    kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPublicKey) else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(key, as_dict=True), "kid": kid, "use": "sig", **more}


def _json(body: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode(), headers={"Content-Type": "application/json"})
