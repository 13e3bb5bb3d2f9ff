"""The stranger's walk: whoever is not in a private room cannot tell it from one that is not there.

Every route with every method, and every event on every kind of connection, for a guest, an account outside, a member
who was removed, and a member whose token names other rooms, for whom a public room is none either: the bytes and the
headers for a room are those for a name that nobody has. The routes and the events come from the program's own tables,
so that a new one cannot be forgotten.
"""

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from tornado.routing import PathMatches
from tornado.web import RequestHandler

from chatter.charter import new_slug
from chatter.room.supervisor import Supervisor
from chatter.storage.read_queue import ReadQueue
from tests.support.phoenix_client import NDJSON, LongPoll, Opcode, WebSocket, binary_push, request
from tests.support.server import Server, wait_until
from tests.support.talker import Talker
from tests.web.accounts.conftest import Browser
from tests.web.rooms.conftest import AppUser, People, TokenBrowser
from web.channels import personal_requests, requests
from web.channels.endpoint import Endpoint
from web.http.outgoing import Outgoing
from web.identity.oidc import OpenIdConnect
from web.server import _application
from web.settings import Settings
from web.transport.poll_sessions import PollSessions

TITLE, WORDS = "Surprise for Zoe", "the cake is a lie"
ASKERS = ["a guest", "an account outside", "a member who was removed", "a member whose token has other rooms"]

BODIES: dict[str, list[Callable[[str], object]]] = {
    "/api/invites": [lambda slug: {"room": slug}],
    "/api/rooms": [
        lambda slug: {"kind": "public", "title": "x", "slug": slug},
        lambda slug: {"kind": "private", "title": "x", "slug": slug, "members": ["nobody-here"]},
    ],
    "/api/accounts": [lambda slug: {"handle": "x", "password": "correct horse battery", "invite": slug}],
    "/api/join": [lambda slug: {"code": slug}],
    "/api/links": [lambda slug: {"handle": slug, "kind": "sign_in"}],
    "/api/links/look": [lambda slug: {"link": slug}],
    "/api/links/use": [lambda slug: {"link": slug}],
    "/api/direct": [lambda slug: {"handle": slug}],
    "/api/sessions": [lambda slug: {"handle": slug, "password": slug}],
    "/api/me": [lambda slug: {"old_password": slug, "password": "a new one for me"}],
    "/api/tokens": [lambda slug: {"label": slug, "scopes": ["none"]}],
    "/api/passkeys": [lambda slug: {"label": slug, "credential": {}}],
    "/api/passkeys/options": [lambda slug: {"for": slug}],
    "/api/sessions/passkey": [lambda slug: {"credential": {"id": slug}}],
}
"""What may be sent to addresses that have no name of a room in them, so that it has one."""

NO_SLUG = {
    *(
        "/api/me/export",
        "/api/me/proof",
        "/api/me/providers",
        "/api/me/providers/([0-9a-f]{32})",
        "/api/oidc",
        "/api/audit",
        "/",
        r"/sw\.js",
        r"/favicon\.ico",
        "/healthz",
    ),
    *("/socket/websocket/?", "/socket/longpoll/?"),  # walked event by event
    *(f"/api/{kind}/([1-9][0-9]{{0,17}})" for kind in ("tokens", "invites", "passkeys")),
    "/api/sessions/(current|[1-9][0-9]{0,17})",
    "/api/sessions/ended",
}
"""Addresses in which no name of a room can be."""

METHODS = [*RequestHandler.SUPPORTED_METHODS, "BREW"]

PAYLOADS: dict[str, dict[str, Any]] = {
    "phx_join": {"log": 2, "since": 0, "name": "me", "presence": True},
    "new_message": {"name": "me", "message": "hello"},
    "edit_message": {"seq": 1, "message": "hello"},
    "delete_message": {"seq": 1},
    "react": {"name": "me", "seq": 1, "key": "👍"},
    "unreact": {"name": "me", "seq": 1, "key": "👍"},
    "reactions": {"name": "me", "seq": 1, "key": "👍"},
    "pin": {"name": "me", "seq": 1},
    "unpin": {"name": "me", "seq": 1},
    "typing": {"name": "me"},
    "sync": {"since": 0},
    "set_room": {"title": "mine"},
    "invite": {"handles": ["nobody-here"]},
    "remove_member": {"handle": "nobody-here"},
    "unban_member": {"handle": "nobody-here"},
    "set_role": {"handle": "nobody-here", "role": "owner"},
    "mute_member": {"handle": "nobody-here", "minutes": 5},
    "mark_read": {"seq": 1},
    "mark_unread": {"seq": 1},
    "set_level": {"level": "nothing"},
    "access_token": {"access_token": "nobody's"},
}
OF_ME = {*personal_requests._OF_ROOMS, *personal_requests._OF_ME}
EVENTS = ["phx_join", "phx_leave", "access_token", "heartbeat", "no_such_event", *requests._REQUESTS, *OF_ME]


class House:
    """A server with one private room, in which a lot is going on, and those who are not in it."""

    def __init__(self, server: Server, people: People) -> None:
        self.server = server
        self.owner, self.outside, self.removed = people(), people(), people()
        self.room = self.owner.makes_room(TITLE, topic=WORDS, members=[self.removed.handle])
        self.missing = new_slug("private")
        self.removed.joins(self.room)
        self.owner.joins(self.room, name="x")
        self.app_user = AppUser(server)
        with self.app_user.device({self.room: "moderator"}) as device:
            device.join(self.room)
        assert self.owner.tries(self.room, "remove_member", handle=self.removed.handle) == "ok"
        assert self.owner.tries(self.room, "new_message", message=WORDS) == "ok"
        self.removed.hangs_up()
        self.public = self.owner.makes_room("Open house", kind="public")
        self.owner.joins(self.public)

    def browser(self, asker: str) -> Browser:
        return {
            "a guest": Browser(self.server),
            "an account outside": self.outside.browser,
            "a member who was removed": self.removed.browser,
            "a member whose token has other rooms": TokenBrowser(self.server, self.app_user.token({"lobby": "owner"})),
        }[asker]


@pytest.fixture(scope="module")
def house(server: Server) -> Iterator[House]:
    people = People(server)
    yield House(server, people)
    people.hang_up()


# ---------------------------------------------------------------- over HTTP


def routes() -> list[str]:
    """Returns the patterns of all addresses of the server."""

    async def read() -> list[str]:
        nothing = cast(Any, None)
        endpoint = Endpoint(
            Settings(),
            cast(Supervisor, nothing),
            cast(ReadQueue, nothing),
            lambda _slug, _params: True,
            is_local=True,
        )
        application = _application(
            endpoint, PollSessions(endpoint), Settings(), OpenIdConnect([], Outgoing()), "0" * 32
        )
        return [
            cast(PathMatches, rule.matcher).regex.pattern.removesuffix("$")
            for rule in application.wildcard_router.rules
        ]

    return asyncio.run(read())


ROUTES = routes()


def addresses(pattern: str, slug: str) -> list[str]:
    """Returns addresses that a pattern takes, with the name of the room in each place where it may be."""
    fills = [slug, "1", "current", "x"]
    parts = re.split(r"\((?:[^()]|\([^()]*\))*\)|\[\^/\]\+", pattern.replace(r"\.", "."))
    found = []
    for words in itertools.product(fills, repeat=len(parts) - 1):
        address = "".join(itertools.chain(*itertools.zip_longest(parts, words, fillvalue=""))).removesuffix("/?")
        if slug in words and re.fullmatch(pattern, address):
            found.append(address)
    return found


def asked_of(pattern: str, slug: str) -> list[tuple[str, object]]:
    """Returns `(address, body)` of requests that name a room."""
    bodies = [body(slug) for body in BODIES.get(pattern, ())]
    plain = [(address, None) for address in addresses(pattern, slug)]
    more = [(f"{address}?after=0&limit=5", None) for address, _ in plain]
    return [*plain, *more, *((pattern, body) for body in bodies)]


@pytest.mark.parametrize("pattern", ROUTES)
def test_every_address_names_a_room_in_this_test(pattern: str) -> None:
    slug = new_slug("private")
    assert (pattern in NO_SLUG) != bool(asked_of(pattern, slug))


def answer_of(house: House, asker: str, method: str, address: str, body: object) -> tuple[Any, ...]:
    """Returns all that an answer has, but what no two answers share."""
    browser = house.browser(asker)
    data = b"" if body is None else json.dumps(body).encode()
    length = {"Content-Length": str(len(data))} if data else {}
    answer = request(house.server.port, method, address, browser.headers | length, data)
    cookie, _, secret = answer.headers.get("set-cookie", "").partition(";")[0].partition("=")
    if secret:  # the session is renewed
        browser.cookies[cookie] = secret
    headers = {name: value for name, value in answer.headers.items() if name not in ("date", "etag", "set-cookie")}
    return answer.status_line, headers, cookie, answer.body


def without(slug: str, answer: tuple[Any, ...]) -> str:
    return repr(answer).replace(slug, "<room>")


@pytest.mark.parametrize("asker", ASKERS)
@pytest.mark.parametrize("pattern", [pattern for pattern in ROUTES if pattern not in NO_SLUG])
def test_no_address_tells_a_private_room_from_none(house: House, pattern: str, asker: str) -> None:
    for method in METHODS:
        pairs = zip(asked_of(pattern, house.room), asked_of(pattern, house.missing), strict=True)
        for (address, body), (of_missing, body_of_missing) in pairs:
            private = without(house.room, answer_of(house, asker, method, address, body))
            missing = without(house.missing, answer_of(house, asker, method, of_missing, body_of_missing))
            assert private == missing, (method, address, body)


@pytest.mark.parametrize("pattern", [pattern for pattern in ROUTES if "rooms" in pattern or "join" in pattern])
def test_no_address_tells_a_public_room_from_none_to_whose_token_has_others(house: House, pattern: str) -> None:
    for method in METHODS:
        pairs = zip(asked_of(pattern, house.public), asked_of(pattern, "never-was"), strict=True)
        for (address, body), (of_missing, body_of_missing) in pairs:
            public = without(house.public, answer_of(house, ASKERS[-1], method, address, body))
            missing = without("never-was", answer_of(house, ASKERS[-1], method, of_missing, body_of_missing))
            assert public == missing, (method, address, body)


def test_no_event_tells_a_public_room_from_none_to_whose_token_has_others(house: House) -> None:
    public, missing = (heard_by_websocket(house, ASKERS[-1], slug) for slug in (house.public, "never-was"))
    assert public == missing
    assert json.loads(public[0])[4] == {"status": "error", "response": {"reason": "unmatched topic"}}


def secrets_of(house: House) -> list[str]:
    return [house.room, TITLE, WORDS]


@pytest.mark.parametrize("asker", ASKERS)
def test_nothing_that_anybody_may_read_has_a_word_of_it(house: House, asker: str) -> None:
    for pattern in ROUTES:
        address = pattern if pattern in BODIES or pattern in NO_SLUG else None
        if address is None or "socket" in address:
            continue
        answer = answer_of(house, asker, "GET", address.replace("\\", ""), None)
        assert [word for word in secrets_of(house) if word in repr(answer)] == [], address


def test_the_page_of_a_room_is_the_page_of_any_room(house: House) -> None:
    pages = [request(house.server.port, "GET", f"/rooms/{slug}") for slug in (house.room, house.missing, "lobby")]
    assert len({page.body for page in pages}) == 1
    assert TITLE not in pages[0].body.decode()


def test_the_log_has_not_a_word_of_it(house: House) -> None:
    assert [word for word in secrets_of(house) if word in house.server.log] == []


# ---------------------------------------------------------------- on sockets


def test_every_event_is_walked() -> None:
    known = {*requests.rates_by_event(Settings())}
    assert known <= set(EVENTS)


def frames_of(house: House, slug: str) -> list[str]:
    """Returns a frame for each event on the topic of a room, and of `me` about it."""
    topic = f"chat_room:{slug}"
    on_room = [
        json.dumps(["1", str(number), topic, event, PAYLOADS.get(event, {})]) for number, event in enumerate(EVENTS)
    ]
    payload = {"slug": slug, "seq": 1, "level": "nothing", "after": slug}
    join = json.dumps(["9", "9", "me", "phx_join", {}])
    about = [json.dumps(["9", f"me-{event}", "me", event, payload]) for event in sorted(OF_ME - {"rooms"})]
    return [*on_room, join, *about]


def heard_by_websocket(house: House, asker: str, slug: str) -> list[str]:
    socket = WebSocket(house.server.port, "vsn=2.0.0", house.browser(asker).headers)
    try:
        heard = []
        for frame in frames_of(house, slug):
            ref = json.loads(frame)[1]
            socket.send(Opcode.TEXT, frame.encode())
            heard += texts_until(socket, ref)
        socket.send(Opcode.BINARY, binary_push("1", "raw", f"chat_room:{slug}", "new_message", b"\0"))
        heard += texts_until(socket, "raw")
        return [text.replace(slug, "<room>") for text in heard]
    finally:
        socket.connection.close()


def texts_until(socket: WebSocket, ref: str) -> list[str]:
    """Returns the frames up to the answer with a ref."""
    texts: list[str] = []
    while not texts or json.loads(texts[-1])[1] != ref:
        texts.append(socket.receive().data.decode())
    return texts


@pytest.mark.parametrize("asker", ASKERS)
def test_no_event_tells_a_private_room_from_none(house: House, asker: str) -> None:
    private, missing = (heard_by_websocket(house, asker, slug) for slug in (house.room, house.missing))
    assert private == missing
    joins = json.loads(private[0])
    assert joins == [
        None,
        "0",
        "chat_room:<room>",
        "phx_reply",
        {"status": "error", "response": {"reason": "unmatched topic"}},
    ]


@pytest.mark.parametrize("asker", ASKERS)
def test_a_join_is_answered_as_that_of_a_topic_that_there_never_is(house: House, asker: str) -> None:
    socket = WebSocket(house.server.port, "vsn=2.0.0", house.browser(asker).headers)
    answers = []
    for topic in (f"chat_room:{house.room}", f"chat_room:{house.missing}", "no_such_thing"):
        socket.send(Opcode.TEXT, json.dumps(["4", "4", topic, "phx_join", {}]).encode())
        answers.append(texts_until(socket, "4")[-1].replace(topic, "<topic>"))
    socket.connection.close()
    assert len(set(answers)) == 1


@pytest.mark.parametrize("asker", ASKERS)
def test_long_polling_tells_as_little(house: House, asker: str) -> None:
    def heard(slug: str) -> list[str]:
        poll = LongPoll(house.server.port, "vsn=1.0.0", dict(house.browser(asker).headers))
        poll.open()
        frames = []
        for number, event in enumerate(["phx_join", "new_message", "history"]):
            frame = {
                "topic": f"chat_room:{slug}",
                "event": event,
                "payload": PAYLOADS.get(event, {}),
                "ref": str(number),
            }
            poll.post(json.dumps(frame), content_type=NDJSON)
            frames += poll.get()["messages"]
        return [frame.replace(slug, "<room>") for frame in frames]

    assert heard(house.room) == heard(house.missing)


@pytest.mark.parametrize("asker", ASKERS)
def test_nobody_outside_hears_what_goes_on_inside(house: House, asker: str) -> None:
    with Talker(house.server.port, headers=house.browser(asker).headers) as outsider:
        outsider.join("lobby", log=2, presence=True)
        me = json.dumps(["9", "9", "me", "phx_join", {}])
        outsider.websocket.send(Opcode.TEXT, me.encode())
        outsider.wait_for("phx_reply", "9")
        outsider.ask("lobby", "typing", name="me")
        owner = house.owner
        for event, payload in (
            ("typing", {}),
            ("new_message", {"message": WORDS}),
            ("set_room", {"topic": "more"}),
            ("make_link", {}),
        ):
            assert owner.tries(house.room, event, **payload) == "ok"
        outsider.websocket.send(Opcode.TEXT, b'[null,"end","phoenix","heartbeat",{}]')
        heard = [frame.event for frame in outsider.receive_until(lambda frame: frame.ref == "end")]
        assert [event for event in heard if event not in ("phx_reply", "presence_state", "presence_diff")] == []
        wait_until(lambda: house.room in owner.asks("GET", "/api/rooms").body.decode())
        assert house.room not in Browser(house.server).ask("GET", "/api/rooms").body.decode()
