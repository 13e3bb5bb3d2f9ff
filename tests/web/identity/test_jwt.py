"""Tokens of an embedding app: which are valid, and every way in which they are forged."""

import base64
import json
import logging
from typing import Any

import jwt
import pytest

from tests.support.keys import EC_KEY, RSA_KEY
from tests.web.identity.tokens import (
    GOOD,
    NOW,
    OTHER_SECRET,
    SECRET,
    encoded,
    forged,
    nobody,
    pem,
    refusal_of,
    signed,
    verified,
    verifier,
)
from web.identity.claims import Claims
from web.identity.jwt import token_verifier
from web.settings import Settings

HEADER = {"alg": "HS256", "typ": "JWT"}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


# ---------------------------------------------------------------- valid tokens


def test_a_server_without_a_key_verifies_no_tokens() -> None:
    assert token_verifier(Settings(), nobody) is None


def test_a_token_says_who_somebody_is() -> None:
    everything = {
        "iss": "https://app.example",
        "name": "Ann 🦊",
        "avatar": "https://app.example/7.png",
        "role": "moderator",
        "rooms": {"lobby": "member", "garden": "owner"},
    }
    assert verified(signed(GOOD | everything)) == Claims(
        issuer="https://app.example",
        subject="7",
        expires_at=NOW + 600,
        made_at=NOW + 600,
        name="Ann 🦊",
        avatar="https://app.example/7.png",
        role="moderator",
        rooms={"lobby": "member", "garden": "owner"},
    )


def test_sub_and_exp_are_enough() -> None:
    assert verified(signed(GOOD)) == Claims(issuer="", subject="7", expires_at=NOW + 600, made_at=NOW + 600)
    for made_at in (NOW - 5, 0, -(10**400)):
        assert verified(forged(HEADER, GOOD | {"iat": made_at})).made_at == made_at
    assert verified(signed(GOOD | {"name": None, "role": None, "unknown": [1]})) == verified(signed(GOOD))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_shared_key_is_for_three_algorithms(algorithm: str) -> None:
    assert verified(forged({"alg": algorithm}, GOOD, algorithm=algorithm)).subject == "7"


def test_of_two_shared_keys_both_count() -> None:
    both = f"{SECRET} {OTHER_SECRET}"
    assert verified(signed(GOOD, SECRET), jwt_key=both) == verified(signed(GOOD, OTHER_SECRET), jwt_key=both)
    assert refusal_of(signed(GOOD, OTHER_SECRET), jwt_key=SECRET) == "its signature is wrong"


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
def test_a_token_may_say_that_it_is_one(typ: str) -> None:
    assert verified(signed(GOOD, typ=typ)).subject == "7"


def test_clocks_may_differ_by_the_leeway() -> None:
    assert verified(signed(GOOD | {"exp": NOW - 29, "nbf": NOW + 30, "iat": NOW + 30})).expires_at == NOW - 29
    assert verified(signed(GOOD | {"exp": NOW + 0.5}), jwt_key=SECRET, jwt_leeway="0").expires_at == NOW + 0.5


@pytest.mark.parametrize("audience", ["chat", ["chat"], ["mail", "chat"]])
def test_a_token_may_be_for_several(audience: object) -> None:
    assert verified(signed(GOOD | {"aud": audience}), jwt_key=SECRET, jwt_audience="chat").subject == "7"


@pytest.mark.parametrize(("text", "is_one"), [("a.b.c", True), ("chs_abc", False), ("a.b", False), ("a.b.c.d", False)])
def test_a_token_is_recognised_by_its_three_parts(text: str, is_one: bool) -> None:
    assert verifier(jwt_key=SECRET).recognises(text) is is_one


# ---------------------------------------------------------------- forgeries

FORGERIES: dict[str, tuple[str, str]] = {
    "no signature": (".".join(signed(GOOD).split(".")[:2]) + ".", "signature"),
    "alg none": (jwt.encode(GOOD, "", "none"), "algorithm"),
    "alg none with a signature": (forged({"alg": "none"}, GOOD), "algorithm"),
    "alg None": (forged({"alg": "None"}, GOOD), "algorithm"),
    "no alg": (forged({}, GOOD), "header"),
    "alg that is no text": (forged({"alg": ["HS256"]}, GOOD), "header"),
    "alg that nobody knows": (forged({"alg": "HS1"}, GOOD), "algorithm"),
    "RS256 with a shared key": (signed(GOOD, RSA_KEY, "RS256"), "algorithm"),
    "another key": (signed(GOOD, OTHER_SECRET), "signature"),
    "a key of its own in the header": (
        forged(HEADER | {"jwk": {"kty": "oct", "k": encoded(OTHER_SECRET.encode()).decode()}}, GOOD, b"x" * 32),
        "signature",
    ),
    "a key at an address in the header": (
        forged(HEADER | {"jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5"}, GOOD, b"x" * 32),
        "signature",
    ),
    "alg twice": (forged(b'{"alg":"HS256","alg":"none"}', GOOD), "algorithm"),
    "another payload": (
        ".".join([signed(GOOD).split(".")[0], encoded(b'{"sub":"8"}').decode(), signed(GOOD).split(".")[2]]),
        "signature",
    ),
    "signature of another algorithm": (forged({"alg": "HS512"}, GOOD), "signature"),
    "crit": (forged(HEADER | {"crit": ["exp"], "exp": 1}, GOOD), "extension"),
    "crit without anything": (forged(HEADER | {"crit": []}, GOOD), "extension"),
    "crit null": (forged(HEADER | {"crit": None}, GOOD), "extension"),
    "b64": (forged(HEADER | {"b64": False, "crit": ["b64"]}, GOOD), "extension"),
    "b64 without crit": (forged(HEADER | {"b64": True}, GOOD), "extension"),
    "typ of another kind": (signed(GOOD, typ="logout+jwt"), "typ"),
    "typ that is no text": (forged(HEADER | {"typ": 1}, GOOD), "header"),
    "kid that is no text": (forged(HEADER | {"kid": 1}, GOOD), "header"),
    "header that is no object": (forged(["HS256"], GOOD), "header"),
    "header that is no JSON": (forged(b"{alg", GOOD), "header"),
    "header that is no UTF-8": (forged(b'{"alg":"\xff"}', GOOD), "header"),
    "header without end": (forged(b'{"alg":"HS256","x":' + b"[" * 5_000, GOOD), "header"),
    "empty": ("..", "header"),
    "two parts": ("a.b", "three parts"),
    "five parts": ("a.b.c.d.e", "three parts"),
    "padding": (signed(GOOD) + "=", "base64url"),
    "plain base64": (signed(GOOD).split(".")[0] + "+/.e30.e30", "base64url"),
    "white space": (signed(GOOD) + "\n", "base64url"),
    "letters of another script": (signed(GOOD)[:-1] + "ｅ", "base64url"),
    "too long": (signed(GOOD | {"more": "x" * 8_192}), "more than 8192"),
    "expired": (signed(GOOD | {"exp": NOW - 30}), "expired"),
    "expired long ago": (signed(GOOD | {"exp": -(10**30)}), "expired"),
    "exp in milliseconds": (signed(GOOD | {"exp": NOW * 1_000}), "9999"),
    "not yet": (signed(GOOD | {"nbf": NOW + 31}), "nbf"),
    "of the future": (signed(GOOD | {"iat": NOW + 31}), "iat"),
    "no exp": (signed(without("exp")), "exp"),
    "no sub": (signed(without("sub")), "sub"),
    "aud where none is set": (signed(GOOD | {"aud": "mail"}), "jwt_audience is not set"),
    "payload that is no object": (forged(HEADER, [GOOD]), "claims"),
    "payload that is no JSON": (forged(HEADER, b"{"), "claims"),
    "payload that is no UTF-8": (forged(HEADER, b'{"sub":"\xff","exp":1}'), "claims"),
    "payload without end": (forged(HEADER, b'{"x":' + b"[" * 5_000), "claims"),
    "payload with half a character": (forged(HEADER, b'{"sub":"a\\ud800b","exp":1900000000}'), "claims"),
}


@pytest.mark.parametrize(("token", "reason"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_token_is_refused(token: str, reason: str) -> None:
    assert reason in refusal_of(token)


def test_a_public_key_is_no_shared_secret() -> None:
    """The oldest forgery: what everybody may know signs with HMAC, and the server verifies with the same text."""
    for key in (RSA_KEY, EC_KEY):
        assert refusal_of(forged({"alg": "HS256"}, GOOD, pem(key))) == "its signature is wrong"


STRICT: dict[str, list[Any]] = {
    "sub": ["", "x" * 129, 7, None, ["7"], "a\nb", "a\0b"],
    "exp": ["1900000000", None, True, [NOW]],
    "nbf": ["1", None, False],
    "iat": ["1", None, {}],
    "iss": [7, None, "", "x" * 257],
    "aud": [7, None, [7], {"a": 1}],
    "name": ["", "x" * 257, 7, "a\x1b[2Jb"],
    "avatar": ["javascript:alert(1)", "data:image/png,x", "/7.png", "https://a b", "https://" + "x" * 2_048, 7],
    "role": ["root", "guest", "Admin", "", 1, ["admin"]],
    "rooms": [
        ["lobby"],
        {"lobby": "guest"},
        {"No Slug": "member"},
        {"lobby\n": "member"},
        {"lobby": None},
        "lobby",
        None,
    ],
}
WRONG = [(name, value) for name, values in STRICT.items() for value in values]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=[f"{name}-{number}" for number, (name, _) in enumerate(WRONG)])
def test_a_claim_of_another_type_or_form_is_refused(name: str, value: object) -> None:
    reason = refusal_of(forged(HEADER, GOOD | {name: value}))
    assert "claims" in reason
    assert "\n" not in reason


PARTIES = [
    ({"jwt_audience": "chat"}, {"aud": "mail"}, "aud"),
    ({"jwt_audience": "chat"}, {"aud": "chats"}, "aud"),
    ({"jwt_audience": "chat"}, {"aud": []}, "aud"),
    ({"jwt_audience": "chat"}, {}, "aud"),
    ({"jwt_issuer": "app"}, {"iss": "other"}, "iss"),
    ({"jwt_issuer": "app"}, {}, "iss"),
]


@pytest.mark.parametrize(("settings", "claims", "reason"), PARTIES)
def test_a_token_for_or_from_somebody_else_is_refused(
    settings: dict[str, str], claims: dict[str, Any], reason: str
) -> None:
    assert f"its {reason} is not" in refusal_of(signed(GOOD | claims), jwt_key=SECRET, **settings)


def test_the_last_character_of_a_token_has_one_form() -> None:
    token = signed(GOOD)
    signature = base64.urlsafe_b64decode(token.split(".")[2] + "=")
    same = [token[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    same = [text for text in same if base64.urlsafe_b64decode(text.split(".")[2] + "=") == signature]
    assert len(same) == 4
    assert {refusal_of(text) for text in same if text != token} == {"expected base64url in its one form"}


def test_no_change_of_a_single_character_is_accepted() -> None:
    token = signed(GOOD)
    for place, character in enumerate(token):
        changed = "A" if character != "A" else "B"
        assert refusal_of(token[:place] + changed + token[place + 1 :])


def test_the_log_says_at_debug_why_and_never_the_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = signed(GOOD | {"role": "root"}, typ="JWT")
    refusal_of(token)
    lines = [record for record in caplog.records if record.name.startswith("web.identity")]
    assert [record.levelname for record in lines] == ["DEBUG"]
    assert "$.role" in caplog.text
    assert not any(part in caplog.text for part in [*token.split("."), SECRET])


def test_of_two_claims_of_one_name_the_last_counts() -> None:
    text = json.dumps(GOOD)[:-1] + ', "sub": "8"}'
    assert verified(forged(HEADER, text.encode())).subject == "8"
