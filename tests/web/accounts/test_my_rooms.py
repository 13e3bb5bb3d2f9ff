"""The topic `me` through real connections: the list of one's rooms, and what becomes of them."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chatter.charter import Author
from schema import open_database
from tests.support.phoenix_client import LongPoll, Opcode
from tests.support.rooms import GROUP, PRIVATE, RoomLog
from tests.support.server import Server
from tests.support.talker import Closed, Talker
from tests.web.accounts.conftest import Browser, bearer, command
from tests.web.accounts.devices import Device

ROOM = f"chat_room:{PRIVATE}"


class Place:
    """A server with two people in a private room and in a group, which were made before it began."""

    def __init__(self, folder: Path, database_url: str | None = None, **options: Any) -> None:
        file = folder / "chatter.db"
        self.server = Server(file, database_url=database_url, sign_up="open", poll_window=5, **options)
        self.server.start()
        self.ann, self.bo = Browser(self.server), Browser(self.server)
        self.names = [each.signs_up() for each in (self.ann, self.bo)]
        self.ids = [each.ask("GET", "/api/me").json["id"] for each in (self.ann, self.bo)]
        self.server.stop()
        database = open_database(self.server.database_url)
        people = [Author(*person) for person in zip(self.ids, self.names, strict=True)]
        den = RoomLog(PRIVATE).founded(*people, title="Den")
        den.says(people[0], "the first")
        den.saved()
        RoomLog(GROUP).founded(*people).saved()
        database.close()
        self.server.start()

    def device(self, browser: Browser, **options: Any) -> Device:
        """Connects somebody."""
        return Device(self.server, browser.headers, **options)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.server.stop()


@pytest.fixture
def place_on_each(tmp_path: Path, database_url: str) -> Iterator[Place]:
    """A place on SQLite, then one on PostgreSQL."""
    place = Place(tmp_path, database_url)
    yield place
    place.server.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place in which tests leave things as they are."""
    place = Place(tmp_path_factory.mktemp("rooms"))
    yield place
    place.server.stop()


def test_the_join_answers_with_all_that_a_list_of_rooms_shows(shared: Place) -> None:
    with shared.device(shared.bo) as bo:
        answer = bo.asks("phx_join")
        assert answer["account"] == {
            "id": shared.ids[1],
            "handle": shared.names[1],
            "name": shared.names[1],
            "role": "member",
        }
        assert answer["server"]["limits"]["message"] == 4_000
        group, den = answer["rooms"]
        assert den["last"].pop("at")
        assert den == {
            "slug": PRIVATE,
            "kind": "private",
            "title": "Den",
            "topic": "",
            "role": "member",
            "level": "mentions",
            "level_until": None,
            "hidden": False,
            "archived": False,
            "last_seq": 4,
            "last_nth": 1,
            "read_seq": 3,
            "read_nth": 0,
            "rev": 0,
            "unread": 1,
            "mentions": 0,
            "last": {"name": shared.names[0].title(), "text": "the first"},
            "people": 2,
        }
        assert (group["slug"], group["kind"], group["level"], group["last"]) == (GROUP, "group", "everything", None)
        assert group["with"] == [
            {"id": id, "handle": name, "name": name} for id, name in zip(shared.ids, shared.names, strict=True)
        ]


def test_who_has_not_joined_a_room_hears_of_its_activity_and_who_has_does_not(place: Place) -> None:
    with place.device(place.ann) as ann, place.device(place.bo) as away, place.device(place.bo) as here:
        away.enters()
        here.enters()
        for device in (ann, here):
            assert device.joins()["ok"]
        seq = ann.says(f"hello @{place.names[1]}")
        told = away.wait_for("activity")
        assert told["last"].pop("at")
        assert told == {
            "slug": PRIVATE,
            "last_seq": seq,
            "last_nth": 2,
            "last": {"name": place.names[0], "text": f"hello @{place.names[1]}"},
            "mentions": 1,
        }
        read = here.asks("mark_read", slug=PRIVATE, seq=seq)
        assert away.wait_for("read") == {key: value for key, value in read.items() if key != "ok"}
        here.heartbeat()
        ann.says("again")
        assert away.wait_for("activity")["last"]["text"] == "again"
        events = [each.event for each in here.receive_until(lambda each: each.event == "new_message")]
        assert "activity" not in events


def test_marks_are_the_same_on_all_devices_and_outlive_the_server(place_on_each: Place) -> None:
    place = place_on_each
    with place.device(place.bo) as desk, place.device(place.bo) as phone:
        assert desk.enters()[PRIVATE]["unread"] == 1
        phone.enters()
        assert desk.joins()["ok"]
        began = time.monotonic()
        answer = desk.asks("mark_read", ROOM, seq=4)
        assert (answer["unread"], answer["seq"], answer["rev"]) == (0, 4, 0)
        assert phone.wait_for("read")["unread"] == 0
        assert time.monotonic() - began < 10
        assert phone.asks("mark_unread", slug=PRIVATE, seq=4)["unread"] == 1
        assert desk.wait_for("read")["rev"] == 1
        assert desk.asks("mark_read", ROOM, seq=4, rev=0)["unread"] == 1
        assert desk.asks("set_level", ROOM, level="nothing", until="2999-01-01T01:00:00+01:00")["ok"]
        assert phone.wait_for("level")["until"] == "2999-01-01T00:00:00.000000Z"
    place.server.stop()
    place.server.start()
    with place.device(place.bo) as again:
        den = again.enters()[PRIVATE]
        assert (den["unread"], den["rev"], den["level"]) == (1, 1, "nothing")
        assert again.asks("mark_all_read") == {"ok": True, "rooms": 1}
        assert again.asks("rooms")["rooms"][1]["unread"] == 0


def test_one_s_own_message_is_read_on_all_devices(place: Place) -> None:
    with place.device(place.bo) as desk, place.device(place.bo) as phone:
        phone.enters()
        desk.enters()
        assert desk.joins()["ok"]
        seq = desk.says("mine")
        assert phone.wait_for("read")["seq"] == seq
        assert desk.wait_for("read")["unread"] == 0


def test_what_an_erased_person_said_is_gone_from_the_lists_of_others(place: Place) -> None:
    with place.device(place.ann) as ann, place.device(place.bo) as bo:
        ann.joins()
        ann.says("mine")
        assert bo.enters()[PRIVATE]["last"]["text"] == "mine"
        bo.reads_all()
        command(place.server, "account", "erase", place.names[0], "--messages=erase")
        is_told = next(each for each in bo.frames() if each.event == "activity" and each.payload["last"]["text"] == "")
        assert is_told.payload["last"]["name"] == "deleted account"
        assert bo.asks("rooms")["rooms"][1]["last"]["text"] == ""


def test_a_long_poll_hears_the_same(place: Place) -> None:
    with place.device(place.bo) as bo:
        bo.enters()
        bo.reads_all()
    poll = LongPoll(place.server.port, headers=place.bo.headers)
    poll.open()
    poll.post('["1","1","me","phx_join",{}]')
    frames = [json.loads(each) for each in poll.get()["messages"]]
    assert [(each[3], each[4]["status"]) for each in frames] == [("phx_reply", "ok")]
    with place.device(place.ann) as ann:
        assert ann.joins()["ok"]
        ann.says("hello")
    heard: list[Any] = []
    while not heard:
        heard += [json.loads(each) for each in poll.get().get("messages", [])]
    assert [(each[0], each[2], each[3]) for each in heard] == [(None, "me", "activity")]


def test_a_private_room_is_joined_by_its_members_alone_and_nobody_else_learns_of_it(shared: Place) -> None:
    with shared.device(shared.ann) as ann, Talker(shared.server.port) as guest:
        assert ann.joins()["ok"]
        answer = guest.ask(PRIVATE, "phx_join")
        assert answer == {"status": "error", "response": {"reason": "unmatched topic"}}
        assert guest.ask(f"p--{'z' * 26}", "phx_join") == answer


@pytest.mark.parametrize(
    ("who", "reason"), [("a guest", "sign_in"), ("a revoked one", "unauthorized"), ("a writer", "forbidden")]
)
def test_who_has_no_account_or_may_not_read_has_no_list(place: Place, who: str, reason: str) -> None:
    headers: Mapping[str, str] = {}
    if who == "a revoked one":
        headers = dict(place.bo.headers)
        place.bo.ask("DELETE", "/api/sessions/current")
    elif who == "a writer":
        headers = bearer(place.bo.token("post"))
    with Device(place.server, headers) as device:
        assert device.asks("phx_join") == {"ok": False, "reason": reason}
        assert device.asks("mark_read", slug=PRIVATE, seq=1)["reason"] == "unmatched topic"


def test_a_token_that_only_reads_says_what_is_read(place: Place) -> None:
    with Device(place.server, bearer(place.bo.token("read"))) as device:
        device.enters()
        assert device.joins()["ok"]
        assert device.asks("mark_read", slug=PRIVATE, seq=4)["unread"] == 0
        assert device.asks("mark_unread", ROOM, seq=4)["unread"] == 1
        assert device.asks("set_level", slug=PRIVATE, hidden=False)["ok"]
        assert device.asks("new_message", ROOM, message="hello")["reason"] == "forbidden"


def test_without_accounts_there_is_no_such_topic(database: Path) -> None:
    with Server(database, accounts="off") as server, Device(server, {}) as device:
        assert device.asks("phx_join") == {"ok": False, "reason": "unmatched topic"}
        assert device.asks("phx_join", "chat_room:lobby")["ok"]
        assert device.asks("mark_read", "chat_room:lobby", seq=1)["reason"] == "unknown event"


def test_a_guest_has_no_marks(shared: Place) -> None:
    with Device(shared.server, {}) as guest:
        assert guest.asks("phx_join", "chat_room:lobby")["ok"]
        assert guest.asks("mark_read", "chat_room:lobby", seq=1)["reason"] == "sign_in"


@pytest.mark.parametrize(
    ("event", "payload", "field"),
    [
        ("mark_read", {"slug": PRIVATE}, "seq"),
        ("mark_read", {"seq": 1}, "slug"),
        ("mark_read", {"slug": PRIVATE, "seq": -1}, "seq"),
        ("mark_read", {"slug": PRIVATE, "seq": 1, "rev": "x"}, "rev"),
        ("mark_unread", {"slug": PRIVATE, "seq": 0}, "seq"),
        ("mark_unread", {"slug": "No Room", "seq": 1}, "slug"),
        ("set_level", {"slug": PRIVATE}, "level"),
        ("set_level", {"slug": PRIVATE, "level": "loud"}, "level"),
        ("set_level", {"slug": PRIVATE, "until": "2999-01-01T00:00:00Z"}, "until"),
        ("set_level", {"slug": PRIVATE, "level": "nothing", "until": "tomorrow"}, "until"),
        ("set_level", {"slug": PRIVATE, "level": "nothing", "until": "2999-01-01T00:00:00"}, "until"),
        ("set_level", {"slug": PRIVATE, "level": "nothing", "until": "0001-01-01T00:00:00+14:00"}, "until"),
        ("set_level", {"slug": PRIVATE, "hidden": 1}, "hidden"),
        ("rooms", {"after": 1}, "after"),
    ],
)
def test_a_bad_field_is_named(shared: Place, event: str, payload: dict[str, Any], field: str) -> None:
    with shared.device(shared.bo) as bo:
        bo.enters()
        answer = bo.asks(event, **payload)
        assert (answer["reason"], answer["field"]) == ("invalid", field)


def test_what_there_is_not_is_refused(shared: Place) -> None:
    with shared.device(shared.bo) as bo:
        bo.enters()
        assert bo.asks("mark_read", slug=f"p--{'z' * 26}", seq=1)["reason"] == "not_found"
        assert bo.asks("new_message", message="x")["reason"] == "unknown event"


def test_a_second_join_ends_the_first_and_leaving_ends_the_pushes(place: Place) -> None:
    with place.device(place.bo) as bo, place.device(place.ann) as ann:
        bo.websocket.send(Opcode.TEXT, b'["1","1","me","phx_join",{}]')
        bo.websocket.send(Opcode.TEXT, b'["2","2","me","phx_join",{}]')
        frames = bo.receive_until(lambda each: each.event == "phx_close")
        assert [(each.ref, each.event) for each in frames] == [
            ("1", "phx_reply"),
            ("2", "phx_reply"),
            ("1", "phx_close"),
        ]
        bo.websocket.send(Opcode.TEXT, b'["1","3","me","rooms",{}]')  # of the first: nobody answers
        bo.websocket.send(Opcode.TEXT, b'["2","4","me","phx_leave",{}]')
        frames = bo.receive_until(lambda each: each.event == "phx_close")
        assert [(each.ref, each.event) for each in frames] == [("4", "phx_reply"), ("2", "phx_close")]
        assert bo.asks("rooms")["reason"] == "unmatched topic"
        assert ann.joins()["ok"]
        with place.device(place.bo) as other:
            other.enters()
            other.reads_all()
            ann.says("hello")
            other.wait_for("activity")
        bo.websocket.send(Opcode.TEXT, b'[null,"beat","phoenix","heartbeat",{}]')
        assert [each.event for each in bo.receive_until(lambda each: each.ref == "beat")] == ["phx_reply"]


def test_another_name_or_role_is_told_and_the_end_of_the_account_too(place: Place) -> None:
    with place.device(place.bo) as bo, place.device(place.ann) as ann:
        bo.enters()
        ann.enters()
        place.bo.ask("PUT", "/api/me", {"name": "Bo the Great"})
        assert bo.wait_for("account")["name"] == "Bo the Great"
        changed = ann.wait_for("room_changed")
        assert (changed["slug"], changed["set"]["with"][1]["name"]) == (GROUP, "Bo the Great")
        command(place.server, "account", "role", place.names[1], "moderator")
        assert bo.wait_for("account")["role"] == "moderator"
        command(place.server, "account", "suspend", place.names[1])
        assert bo.wait_for("signed_out") == {"reason": "suspended"}
        with pytest.raises(Closed):
            bo.wait_for("nothing")


def test_the_list_of_all_rooms_is_not_told_as_often_as_one_likes(tmp_path: Path) -> None:
    place = Place(tmp_path, rate_limits="on", list_rate="0.01/2")
    try:
        with place.device(place.ann) as one, place.device(place.ann) as other, place.device(place.bo) as bo:
            one.enters()
            other.enters()
            refused = one.asks("phx_join")
            assert (refused["reason"], refused["retry_after_ms"] > 0) == ("rate_limited", True)
            bo.enters()
    finally:
        place.server.stop()
