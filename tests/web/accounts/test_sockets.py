"""People on real sockets: how they show who they are, what each may do, and how they are out."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.support.phoenix_client import LongPoll, Opcode, binary_push
from tests.support.server import Server, wait_until
from tests.support.talker import Closed, Talker
from tests.web.accounts.conftest import PASSWORD, Browser, bearer, command, dies
from tests.web.identity.tokens import SECRET, signed
from web.channels import requests, room_requests


class Person(Talker):
    """A client on a websocket whose handshake has these headers."""

    def __init__(
        self,
        server: Server,
        headers: Mapping[str, str] | None = None,
        query: str = "vsn=2.0.0",
        between: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(server.port, headers=headers, query=query, between=between)

    def tries(self, event: str, payload: object, topic: str = "chat_room:lobby") -> str:
        """Returns the reason for which an event is refused, or ok."""
        self.websocket.send(Opcode.TEXT, json.dumps([None, "try", topic, event, payload]).encode())
        answer = self.wait_for("phx_reply", "try")
        reason: str = answer["response"].get("reason", "ok")
        return reason

    def joins(self, room: str = "lobby", **params: object) -> str:
        """Returns the reason for which a join is refused, or ok."""
        return self.tries("phx_join", params, f"chat_room:{room}")

    def speaks(self, message: str, room: str = "lobby", **payload: object) -> Any:
        """Says something, and returns what the room hears."""
        self.push(room, "new_message", message=message, **payload)
        frames = self.receive_until(lambda each: each.event == "new_message" and each.payload["message"] == message)
        return frames[-1].payload


def protocol(secret: str, *, url_safe: bool = False) -> dict[str, str]:
    """The header with which phoenix.js shows its `authToken`."""
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    return {"Sec-WebSocket-Protocol": f"phoenix, base64url.bearer.phx.{encode(secret.encode()).decode().rstrip('=')}"}


# ---------------------------------------------------------------- everybody, and every event

READER, WRITER, GUEST = "a token to read", "a token to post", "a guest"
LIVING = [GUEST, "a member", READER, WRITER, "an admin"]
DEAD = ["expired", "revoked", "suspended"]
FOREIGN = ["a page without an origin"]
PAYLOAD = {"name": "x", "message": "x", "seq": 1_000_000, "key": "👍", "since": 0}
SAYS = ["new_message", "edit_message", "delete_message", "react", "unreact", "pin", "unpin", "typing"]
OF_ACCOUNTS = dict.fromkeys([GUEST, *FOREIGN], "sign_in")
EVENTS = {
    **{event: {READER: "forbidden"} for event in SAYS},
    **{event: OF_ACCOUNTS | {READER: "forbidden"} for event in room_requests.ROOM_REQUESTS},
    "history": {},
    "reactions": {},
    "sync": {},
    "access_token": dict.fromkeys(LIVING + FOREIGN, "unauthorized"),
}
"""What each who has joined is refused for; whoever is not named gets through to the room."""


@pytest.fixture(scope="module")
def headers(people_server: Server, admin: Browser) -> dict[str, Mapping[str, str]]:
    """What each shows in the handshake."""
    member, revoked, suspended = (Browser(people_server) for _ in range(3))
    handles = [each.signs_up() for each in (member, revoked, suspended)]
    shown: dict[str, Mapping[str, str]] = {
        GUEST: {},
        "a member": member.headers,
        READER: bearer(member.token("read")),
        WRITER: bearer(member.token("read", "post")),
        "an admin": admin.headers,
        "expired": bearer(member.token("read", "post", expires_in=1)),
        "revoked": dict(revoked.headers),
        "suspended": dict(suspended.headers),
        "a page without an origin": {"Cookie": member.headers["Cookie"]},
    }
    dead = {shown["expired"]["Authorization"].split()[1], revoked.cookies["chatter"], suspended.cookies["chatter"]}
    revoked.ask("DELETE", "/api/sessions/current")
    command(people_server, "account", "suspend", handles[2])
    for secret in dead:
        dies(people_server, secret)
    return shown


@pytest.mark.parametrize("who", [*LIVING, *FOREIGN, *DEAD])
def test_everybody_is_answered_to_every_event_what_the_table_says(
    people_server: Server, headers: dict[str, Mapping[str, str]], who: str
) -> None:
    with Person(people_server, headers[who]) as person:
        assert person.joins(resync=True) == ("unauthorized" if who in DEAD else "ok")
        for event, refused in EVENTS.items():
            reason = person.tries(event, PAYLOAD | ({"access_token": "x"} if event == "access_token" else {}))
            if who in DEAD:
                assert reason == "unmatched topic"
            elif who in refused:
                assert (event, reason) == (event, refused[who])
            else:
                assert reason in {"ok", "not_found", "invalid", "forbidden"}, event
        if who not in DEAD:
            person.websocket.send(Opcode.BINARY, binary_push("try", "raw", "chat_room:lobby", "new_message", b"\0"))
            answers = (json.loads(each.data) for each in iter(person.websocket.receive, None) if each.opcode == 1)
            answer = next(each for each in answers if each[1] == "raw")
            assert answer[4]["response"].get("reason", "ok") == ("forbidden" if who == READER else "ok")


def test_every_event_is_in_the_table() -> None:
    assert set(EVENTS) == {*requests._REQUESTS, "access_token"}


def test_a_page_of_another_origin_is_refused(people_server: Server, headers: dict[str, Mapping[str, str]]) -> None:
    foreign = {**headers["a member"], "Origin": "https://evil.example"}
    with pytest.raises(ConnectionRefusedError, match="403"):
        Person(people_server, foreign)


# ---------------------------------------------------------------- who somebody is


@pytest.mark.parametrize("way", ["bearer", "protocol", "url-safe protocol", "cookie"])
@pytest.mark.parametrize("between", [None, lambda: None], ids=["whole head", "split head"])
def test_a_handshake_shows_who_connects(people_server: Server, way: str, between: Callable[[], object] | None) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    secret = browser.cookies["chatter"]
    ways = {
        "bearer": bearer(secret),
        "protocol": protocol(secret),
        "url-safe protocol": protocol(secret, url_safe=True),
        "cookie": browser.headers,
    }
    with Person(people_server, ways[way], between=between) as ann:
        answer = ann.websocket.response.headers
        assert answer.get("sec-websocket-protocol") == ("phoenix" if "protocol" in way else None)
        assert ann.joins(resync=True) == "ok"
        assert ann.tries("access_token", {"access_token": secret}) == "ok"  # of the same person, and of nobody else


@pytest.mark.parametrize("query", ["vsn=2.0.0&{0}", "vsn=2.0.0&token={0}", "vsn=2.0.0&access_token={0}"])
def test_a_secret_in_the_url_is_none(people_server: Server, query: str) -> None:
    browser = Browser(people_server)
    handle = browser.signs_up()
    with Person(people_server, query=query.format(browser.cookies["chatter"])) as guest:
        assert guest.joins(name=handle, resync=True) == "name_taken"


def test_a_protocol_that_cannot_be_read_is_nobodys(people_server: Server) -> None:
    with Person(people_server, {"Sec-WebSocket-Protocol": "phoenix, base64url.bearer.phx.%%%"}) as nobody:
        assert nobody.joins() == "unauthorized"


# ---------------------------------------------------------------- signed out


def closed_with(person: Person) -> tuple[list[Any], int]:
    """What somebody is told before the connection ends, and the code."""
    told: list[Any] = []
    try:
        told.extend((each.topic, each.event, each.payload) for each in person.frames())
    except Closed as closed:
        return told, closed.code
    raise AssertionError("expected a close frame")


def test_whoever_signs_out_is_out_on_each_connection(people_server: Server) -> None:
    browser, elsewhere = Browser(people_server), Browser(people_server)
    handle = browser.signs_up()
    elsewhere.signs_in(handle)
    with Person(people_server, browser.headers) as ann, Person(people_server, elsewhere.headers) as other:
        for each in (ann, other):
            assert (each.joins("a", resync=True), each.joins("b", resync=True)) == ("ok", "ok")
        assert browser.ask("DELETE", "/api/sessions/current").status == 204
        told, code = closed_with(ann)
        assert told[-2:] == [(f"chat_room:{room}", "signed_out", {"reason": "revoked"}) for room in "ab"]
        assert code == 4003
        other.heartbeat()  # another session lives on


def test_a_new_password_ends_the_connections_of_the_cookie_before(people_server: Server) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    with Person(people_server, browser.headers) as copy:
        assert copy.joins("a") == "ok"
        body = {"password": "another horse battery", "old_password": PASSWORD}
        assert browser.ask("PUT", "/api/me", body).status == 200
        assert copy.wait_for("token_expired") == {"grace_ms": 25_000}
        assert copy.joins("b") == "unauthorized"
    with Person(people_server, browser.headers) as ann:
        assert ann.joins("b") == "ok"


def test_a_command_signs_out_within_a_moment(people_server: Server) -> None:
    browser = Browser(people_server)
    handle = browser.signs_up()
    with Person(people_server, browser.headers) as ann:
        ann.joins("a")
        command(people_server, "account", "suspend", handle)
        told, code = closed_with(ann)
    assert (told[-1][1:], code) == (("signed_out", {"reason": "suspended"}), 4003)


def test_an_erased_account_is_out(people_server: Server) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    with Person(people_server, browser.headers) as ann:
        ann.joins("a")
        assert browser.ask("DELETE", "/api/me", {"password": PASSWORD}).status == 204
        assert closed_with(ann)[1] == 4003


# ---------------------------------------------------------------- polling


def frames(answer: Any) -> list[Any]:
    return [json.loads(each) for each in answer.get("messages", [])]


def test_a_poll_session_is_for_those_who_began_it(people_server: Server) -> None:
    ann, bo, again = Browser(people_server), Browser(people_server), Browser(people_server)
    handle = ann.signs_up()
    bo.signs_up()
    again.signs_in(handle)
    poll = LongPoll(people_server.port, headers={"X-Phoenix-AuthToken": ann.cookies["chatter"]})
    poll.open()
    assert poll.post('["1","1","chat_room:a","phx_join",{"resync":true}]') == {"status": 200}
    assert frames(poll.get())[0][4]["status"] == "ok"
    without = LongPoll(people_server.port)
    without.token = poll.token
    assert without.post('[null,"2","phoenix","heartbeat",{}]') == {"status": 200}  # as phoenix.js posts
    assert without.get()["status"] == 410
    for headers in (bearer(bo.cookies["chatter"]), bearer("chs_stolen"), bo.headers):
        stolen = LongPoll(people_server.port, headers=headers)
        stolen.token = poll.token
        assert stolen.post('[null,"2","phoenix","heartbeat",{}]') == {"status": 410}
        assert stolen.get()["status"] == 410
    same = LongPoll(people_server.port, headers=bearer(again.cookies["chatter"]))
    same.token = poll.token
    assert same.post('[null,"3","phoenix","heartbeat",{}]') == {"status": 200}


def test_the_session_of_a_guest_is_no_persons(people_server: Server) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    guest = LongPoll(people_server.port)
    guest.open()
    taken = LongPoll(people_server.port, headers=bearer(browser.cookies["chatter"]))
    taken.token = guest.token
    assert taken.post('[null,"3","phoenix","heartbeat",{}]') == {"status": 410}


def test_whoever_polls_is_told_and_then_out(people_server: Server) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    poll = LongPoll(people_server.port, headers=bearer(browser.cookies["chatter"]))
    poll.open()
    poll.post('["1","1","chat_room:quiet","phx_join",{"resync":true}]')
    assert frames(poll.get())[0][4]["status"] == "ok"
    browser.ask("DELETE", "/api/sessions/current")
    assert [each[3:] for each in frames(poll.get())] == [["signed_out", {"reason": "revoked"}]]
    assert poll.get()["status"] == 410


def test_a_poll_that_waits_is_answered_at_once(people_server: Server) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    poll = LongPoll(people_server.port, headers=bearer(browser.cookies["chatter"]))
    poll.open()
    poll.post('["1","1","chat_room:quiet2","phx_join",{"resync":true}]')
    poll.get()
    waiting = poll.start_get()
    browser.ask("DELETE", "/api/sessions/current")
    assert [each[3] for each in frames(waiting.response().json)] == ["signed_out"]
    waiting.abandon()


# ---------------------------------------------------------------- tokens that expire, and those of an app


def test_an_expired_token_is_told(people_server: Server) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    with Person(people_server, bearer(browser.token("read", expires_in=4))) as program:
        assert program.joins("a") == "ok"
        assert program.wait_for("token_expired") == {"grace_ms": 25_000}
        assert program.tries("access_token", {"access_token": browser.token("read")}, "phoenix") == "ok"


def test_what_a_guest_has_said_is_not_changed_by_who_signs_in_on_the_same_connection(people_server: Server) -> None:
    browser = Browser(people_server)
    browser.signs_up()
    with Person(people_server) as person:
        assert person.joins("mine", resync=True) == "ok"
        seq = person.speaks("as a guest", "mine", name="gus", id="g1")["seq"]
        assert person.tries("phx_leave", {}, "chat_room:mine") == "ok"
        assert person.tries("access_token", {"access_token": browser.token("read", "post")}, "phoenix") == "ok"
        assert person.joins("mine", resync=True) == "ok"
        for event, change in {"edit_message": {"message": "x"}, "delete_message": {}}.items():
            payload = {"seq": seq, "id": event, **change}
            assert person.tries(event, payload, "chat_room:mine") == "forbidden"


def app_token(sub: str, **claims: object) -> str:
    """A token of the app, good for ten minutes."""
    return signed({"sub": sub, "exp": time.time() + 600, **claims})


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose people sign in with an app's tokens, and in no other way."""
    with Server(tmp_path_factory.mktemp("app") / "chatter.db", accounts="required", jwt_key=SECRET) as running:
        yield running


def test_an_apps_people_join_with_its_tokens_and_renew_them(embedded: Server) -> None:
    with Person(embedded, protocol(app_token("u1", name="Ann Bo"))) as ann:
        assert ann.joins("lobby") == "ok"
        assert ann.tries("access_token", {"access_token": app_token("u2")}, "phoenix") == "other_person"
    with Person(embedded, protocol(app_token("u1", name="Ann Bo"))) as ann:
        assert ann.joins("lobby") == "ok"
        assert ann.tries("access_token", {"access_token": app_token("u1", name="Ann Bo")}) == "ok"


def test_where_accounts_are_required_guests_are_asked_to_sign_in(embedded: Server) -> None:
    with Person(embedded) as guest:
        assert guest.joins() == "sign_in"
        guest.heartbeat()
    assert Browser(embedded).ask("GET", "/api/rooms").json == {"reason": "sign_in"}
    assert Browser(embedded).ask("GET", "/api/rooms", headers=bearer(app_token("u1"))).status == 200
    assert Browser(embedded).ask("GET", "/api/sessions", headers=bearer(app_token("u1"))).status == 403


# ---------------------------------------------------------------- the names of guests


def test_guests_take_no_names_of_people(people_server: Server) -> None:
    browser = Browser(people_server)
    handle = browser.signs_up(name="Ann Marvel")
    with Person(people_server) as guest, Person(people_server) as tutorial:
        assert guest.joins("names", name="ANN  marvel", resync=True) == "name_taken"
        assert guest.joins("names", name="somebody", resync=True) == "ok"
        assert guest.tries("new_message", {"name": handle, "message": "x"}, "chat_room:names") == "name_taken"
        assert tutorial.joins("names", name="Ann Marvel") == "ok"
        heard = tutorial.speaks("hello", "names", name="Ann Marvel")
    assert heard["name"] == "Ann Marvel (guest)"


def test_a_name_is_free_until_its_account_comes(people_server: Server) -> None:
    with Person(people_server) as guest:
        assert guest.joins("free", name="Newcomer", resync=True) == "ok"
        said = {"name": "Newcomer", "message": "x"}
        assert guest.tries("new_message", said, "chat_room:free") == "ok"
        Browser(people_server).signs_up("newcomer")
        wait_until(lambda: guest.tries("new_message", said, "chat_room:free") == "name_taken")
