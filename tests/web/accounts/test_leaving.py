"""People leave: they can come back for a while; then nothing shows them, and what they wanted gone is gone."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self
from urllib.request import Request, urlopen

import pytest

from tests.support.database import forbid, query
from tests.support.log_client import LogClient, Payload
from tests.support.server import Server, wait_until
from tests.support.talker import Talker
from tests.web.accounts.conftest import PASSWORD, Browser, command
from tests.web.accounts.devices import Device

NAME, HANDLE = "Ann Ginger Quill", "anns-handle"
SAID, EDITED, REASON, GONE, REPLY = (
    "the first of her texts", "her text after an edit", "a reason of hers", "a text that she took back", "her reply"
)  # fmt: skip
TRACES = (NAME, SAID, EDITED, REASON, GONE, REPLY)
DELETED = "deleted account"


@pytest.fixture
def server(database_url: str, database: Path) -> Iterator[Server]:
    """A server that erases accounts at once, with small rings, so that most of the past is in the database."""
    options: dict[str, Any] = {"ring_size": 5, "greeting_size": 3, "sign_up": "open", "leave_days": 0}
    with Server(database, database_url=database_url, **options) as running:
        yield running


class Follower:
    """A guest that knows the log, and holds what is said in the lobby."""

    def __init__(self, server: Server, room: str = "lobby", client: LogClient | None = None) -> None:
        self.client = client or LogClient()
        self.talker = Talker(server.port)
        self._room = room
        self.client.joined(self.ask("phx_join", **self.client.join_params))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.talker.websocket.connection.close()

    def ask(self, event: str, **payload: object) -> Any:
        """Returns the response of the room, and hears what comes before it."""
        ref = self.talker.push(self._room, event, **payload)
        frames = self.talker.receive_until(lambda frame: frame.event == "phx_reply" and frame.ref == ref)
        for frame in frames[:-1]:
            self.client.hear(frame.event, frame.payload)
        assert frames[-1].payload["status"] == "ok", frames[-1]
        return frames[-1].payload["response"]

    def settle(self) -> dict[int, Payload]:
        """Asks for what it wants to know, and returns what it holds then."""
        self.ask("typing", name="bo")
        while (request := self.client.next_request()) is not None:
            self.client.answered(request, self.ask(request[0], **request[1]))
        return self.client.rows

    def reads_all(self, before: int | None = None) -> dict[int, Payload]:
        """Reads the latest page, or that before a place, and returns what it holds then."""
        request = ("history", {"limit": 100} if before is None else {"limit": 100, "before": before})
        self.client.answered(request, self.ask(request[0], **request[1]))
        return self.settle()


def held_by(server: Server, client: LogClient | None = None, before: int | None = None) -> LogClient:
    """Returns what a client holds that comes, or comes back, and leaves again."""
    with Follower(server, client=client) as follower:
        if client is None:
            follower.reads_all(before)
        else:
            follower.settle()
        return follower.client


def acts(server: Server, browser: Browser) -> None:
    """Does everything that leaves a trace, and fills the ring."""
    with Talker(server.port, headers=browser.headers) as ann, Talker(server.port) as bo:
        ann.join("lobby")
        bo.join("lobby")
        pushes: list[tuple[Talker, str, dict[str, object]]] = [
            (ann, "new_message", {"message": SAID, "id": "1"}),
            (bo, "new_message", {"name": "bo", "message": "his text", "id": "2"}),
            (ann, "edit_message", {"seq": 1, "message": EDITED}),
            (ann, "new_message", {"message": GONE, "id": "4"}),
            (ann, "delete_message", {"seq": 4, "reason": REASON}),
            (ann, "react", {"seq": 2, "key": "👍"}),
            (bo, "react", {"name": "bo", "seq": 2, "key": "👍"}),
            (ann, "react", {"seq": 1, "key": "🎉"}),
            (ann, "pin", {"seq": 2}),
            (ann, "new_message", {"message": REPLY, "reply_to": 2, "id": "10"}),
            (bo, "new_message", {"name": "bo", "message": "yes", "reply_to": 10, "id": "11"}),
            (ann, "react", {"seq": 11, "key": "👀"}),
            (ann, "unreact", {"seq": 11, "key": "👀"}),
            (bo, "pin", {"name": "bo", "seq": 1}),
        ]
        for who, event, payload in pushes:
            assert who.ask("lobby", event, **payload)["status"] == "ok", event


def leaves(browser: Browser, **more: str) -> None:
    assert browser.ask("DELETE", "/api/me", {"password": PASSWORD, **more}).status == 204


def is_erased(server: Server) -> bool:
    return query(server.database_url, "SELECT account FROM departure") == []


def purges(server: Server) -> list[int]:
    return [seq for (seq,) in query(server.database_url, "SELECT seq FROM entry WHERE kind = 9 ORDER BY seq")]


def in_database(server: Server) -> list[str]:
    """Returns all that the log's tables have, as text."""
    return [
        repr(row)
        for table in ("entry", "post", "removed", "reaction", "account", "secret", "outside", "passkey")
        for row in query(server.database_url, f"SELECT * FROM {table}")
    ]


def on_disk(server: Server) -> dict[str, list[str]]:
    """Returns which of her texts the files beside the server's log have."""
    found = {}
    for path in server.database.parent.iterdir():
        if path.is_file() and path.suffix != ".log":
            content = path.read_bytes()
            found[path.name] = [text for text in TRACES if text.encode() in content]
    return {name: texts for name, texts in found.items() if texts}


@pytest.mark.parametrize("messages", ["keep", "erase"])
def test_who_holds_the_room_sees_what_everybody_sees_once_somebody_has_left(server: Server, messages: str) -> None:
    ann = Browser(server)
    ann.signs_up(HANDLE, name=NAME)
    acts(server, ann)
    absent = held_by(server)
    with Follower(server) as old:
        assert any(NAME in repr(row) for row in old.reads_all().values())
        leaves(ann, messages=messages)
        wait_until(lambda: is_erased(server))
        held = old.settle()
    assert held == held_by(server).rows
    assert held == held_by(server, absent).rows
    assert not any(trace in repr(held) for trace in (NAME, HANDLE, GONE, REASON))
    assert (held[1]["name"], held[1]["author"]["handle"]) == (DELETED, "")
    assert held[2]["reactions"] == {"👍": {"count": 2, "names": [DELETED, "bo"]}}
    assert held[2]["pinned_by"] == DELETED
    assert held[4]["deleted_by"] == DELETED
    if messages == "keep":
        assert (held[1]["message"], held[10]["message"]) == (EDITED, REPLY)
        assert held[1]["reactions"] == {"🎉": {"count": 1, "names": [DELETED]}}
        assert held[1]["pinned_by"] == "bo"
    else:
        assert [held[seq]["message"] for seq in (1, 4, 10)] == ["", "", ""]
        assert all("deleted_at" in held[seq] for seq in (1, 4, 10))
        assert "reactions" not in held[1]
        assert "pinned_at" not in held[1]
    assert held[11]["message"] == "yes"
    assert len(purges(server)) == 1
    server.stop()
    server.start()
    assert held_by(server).rows == held


@pytest.mark.parametrize("messages", ["keep", "erase"])
def test_who_reads_before_and_hears_of_it_holds_what_is_left_whatever_the_order(server: Server, messages: str) -> None:
    """A client that was away for long reads rows in place of entries, also those that a purge has changed."""
    ann = Browser(server)
    ann.signs_up(HANDLE, name=NAME)
    acts(server, ann)
    absent = held_by(server)
    leaves(ann, messages=messages)
    wait_until(lambda: is_erased(server))
    with Talker(server.port) as bo:
        bo.join("lobby")
        for number in range(520):
            bo.push("lobby", "new_message", name="bo", message="more", id=f"more {number}")
        bo.ask("lobby", "new_message", name="bo", message="last", id="last")
    held, fresh = held_by(server, absent).rows, held_by(server, before=100).rows
    assert {seq: held[seq] for seq in (1, 2, 4, 10, 11)} == {seq: fresh[seq] for seq in (1, 2, 4, 10, 11)}


@pytest.mark.alone
def test_what_somebody_wanted_erased_is_nowhere(database: Path) -> None:
    with Server(database, sign_up="open", leave_days=0) as server:
        ann = Browser(server)
        ann.signs_up(HANDLE, name=NAME)
        acts(server, ann)
        forbid(server.database_url, "her letter")
        with Talker(server.port, headers=ann.headers) as talker:
            talker.join("letters")
            refused = talker.ask("letters", "new_message", message="her letter", id="l")
            assert refused["response"] == {"reason": "not_saved"}
        (letters,) = database.parent.glob("*.dead-letters.jsonl")
        assert "her letter" in letters.read_text()
        assert on_disk(server)
        query(server.database_url, "DROP TRIGGER never_this")
        leaves(ann, messages="erase")
        wait_until(lambda: is_erased(server))
        assert on_disk(server) == {}
        assert "her letter" not in letters.read_text()
        assert NAME not in letters.read_text()
        assert not [row for row in in_database(server) if any(text in row for text in TRACES)]
        server.stop()
        assert on_disk(server) == {}


def test_the_places_of_what_is_gone_stay(server: Server) -> None:
    ann = Browser(server)
    ann.signs_up(HANDLE, name=NAME)
    acts(server, ann)
    leaves(ann, messages="erase")
    wait_until(lambda: is_erased(server))
    seqs = [seq for (seq,) in query(server.database_url, "SELECT seq FROM entry ORDER BY seq")]
    assert seqs == list(range(1, len(seqs) + 1))
    with Talker(server.port) as counting:
        answer = counting.ask("lobby", "phx_join", since=0, epoch=1)
        assert answer["status"] == "ok", answer


def test_a_server_that_is_killed_on_the_way_goes_on_at_its_next_start(server: Server) -> None:
    ann = Browser(server)
    ann.signs_up(HANDLE, name=NAME)
    with Talker(server.port, headers=ann.headers) as talker:
        for room in ("a", "b", "c"):
            talker.join(room)
            for number in range(600):
                talker.push(room, "new_message", message=f"{SAID} {number}", id=str(number))
            assert talker.ask(room, "new_message", message=SAID, id="last")["status"] == "ok"
    leaves(ann, messages="erase")
    server.kill()
    server.start()
    wait_until(lambda: is_erased(server))
    assert not [row for row in in_database(server) if any(text in row for text in TRACES)]


def test_who_comes_back_in_time_is_whole_again(database_url: str, database: Path) -> None:
    with Server(database, database_url=database_url, sign_up="open") as server:
        ann, bo = Browser(server), Browser(server)
        ann.signs_up(HANDLE, name=NAME)
        acts(server, ann)
        token = ann.token("read")
        leaves(ann, messages="erase")
        assert ann.ask("GET", "/api/me").json["kind"] == "guest"
        assert bo.ask("GET", "/api/me", headers={"Authorization": f"Bearer {token}"}).status == 401
        assert (
            bo.ask("POST", "/api/accounts", {"handle": HANDLE, "password": PASSWORD}).json["reason"] == "handle_taken"
        )
        assert bo.signs_in(HANDLE, "not her password").json["reason"] == "wrong"
        answer = ann.signs_in(HANDLE)
        assert (answer.status, answer.json["came_back"], answer.json["account"]["name"]) == (201, True, NAME)
        assert is_erased(server)
        assert ann.ask("GET", "/api/me").json["handle"] == HANDLE
        assert "came_back" not in ann.signs_in(HANDLE).json
        assert SAID in repr(in_database(server))
        assert purges(server) == []


def test_nobody_gets_the_handles_of_who_is_gone(server: Server) -> None:
    ann, bo = Browser(server), Browser(server)
    ann.signs_up("old-handle")
    assert ann.ask("PUT", "/api/me", {"handle": HANDLE}).status == 200
    leaves(ann)
    wait_until(lambda: is_erased(server))
    for handle in ("old-handle", HANDLE):
        taken = bo.ask("POST", "/api/accounts", {"handle": handle, "password": PASSWORD})
        assert taken.json["reason"] == "handle_taken"
    assert query(server.database_url, "SELECT COUNT(*) FROM reserved WHERE until < '9'") == [(1,)]  # the name's


def test_the_command_erases_what_is_said_too(server: Server) -> None:
    ann = Browser(server)
    ann.signs_up(HANDLE, name=NAME)
    acts(server, ann)
    assert command(server, "account", "erase", HANDLE, "--messages=erase") == f"@{HANDLE} is erased\n"
    wait_until(lambda: is_erased(server))
    assert not [row for row in in_database(server) if any(text in row for text in TRACES)]


# ---------------------------------------------------------------- taking one's data along


def lines_of(browser: Browser) -> list[Any]:
    request = Request(f"{browser.server.url}/api/me/export", headers=browser.headers)
    with urlopen(request) as answer:
        return [json.loads(line) for line in answer]


def test_somebody_takes_along_what_they_have_said(server: Server) -> None:
    ann = Browser(server)
    ann.signs_up(HANDLE, name=NAME)
    acts(server, ann)
    with Talker(server.port, headers=ann.headers) as talker:
        talker.join("another")
        talker.ask("another", "new_message", message="elsewhere", id="e")
    lines = lines_of(ann)
    assert [each["kind"] for each in lines[:2]] == ["account", "session"]
    said = [(each["room"], each["message"]) for each in lines if each["kind"] == "message"]
    assert [(room, row["seq"], row["message"]) for room, row in said] == [
        ("lobby", 1, EDITED),
        ("lobby", 4, ""),
        ("lobby", 10, REPLY),
        ("another", 1, "elsewhere"),
    ]
    assert said[0][1]["edits"] == 1
    assert "deleted_at" in said[1][1]
    of_others = {"changed", "deleted_by", "pinned_at", "pinned_by", "reactions", "replies", "last_reply_seq"}
    assert all(of_others.isdisjoint(row) for _, row in said)
    assert lines[-1] == {"kind": "end", "messages": 4}


def exports(browser: Browser) -> Any:
    """Begins an export; what comes is read by the test."""
    return urlopen(Request(f"{browser.server.url}/api/me/export", headers=browser.headers))


def last_line_of(exported: Iterable[bytes]) -> Any:
    for line in exported:
        last = line
    return json.loads(last)


def peak_bytes(server: Server) -> int:
    """The most memory that the server has had."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return 1_024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def test_who_is_erased_is_in_no_room_and_named_in_none(server: Server) -> None:
    ann, bo = Browser(server), Browser(server)
    ann.signs_up(HANDLE, name=NAME)
    bo.signs_up("bo")
    others = {"kind": "private", "title": "Garden", "members": [HANDLE]}
    here, away = (bo.ask("POST", "/api/rooms", others).json["slug"] for _ in range(2))
    with Talker(server.port, headers=bo.headers) as talker:
        epoch = talker.ask(here, "phx_join", log=2)["response"]["epoch"]
        ann.ask("DELETE", "/api/me", {"password": PASSWORD})
        left = talker.receive_until(lambda frame: frame.event == "room_event")[-1].payload
        assert (left["change"], [each["name"] for each in left["members"]]) == ("left", [DELETED])
    for slug in (here, away):
        wait_until(partial(is_alone, bo, slug))
    wait_until(lambda: not query(server.database_url, "SELECT account FROM departure"))
    server.stop()
    server.start()
    with Talker(server.port, headers=bo.headers) as talker:
        talker.push(here, "phx_join", log=2, since=1, epoch=epoch)
        told = str(talker.receive_until(lambda frame: "left" in str(frame.payload)))
    told += str(query(server.database_url, "SELECT name, data FROM entry"))
    assert DELETED in told
    assert HANDLE not in told
    assert NAME not in told


def test_who_is_erased_is_shown_as_deleted_in_the_others_direct_room(server: Server) -> None:
    ann, bo = Browser(server), Browser(server)
    ann.signs_up(HANDLE, name=NAME)
    bo.signs_up("bo")
    slug = bo.ask("POST", "/api/direct", {"handle": HANDLE}).json["slug"]
    with Device(server, bo.headers) as device:
        assert companions(device.enters()[slug]) == [(HANDLE, NAME), ("bo", "bo")]
        leaves(ann)
        device.receive_until(lambda frame: ("", "") in companions(frame.payload.get("set", {})))
        assert companions(device.enters()[slug]) == [("", ""), ("bo", "bo")]
    server.stop()
    server.start()
    with Device(server, bo.headers) as device:
        assert companions(device.enters()[slug]) == [("", ""), ("bo", "bo")]


def companions(room: Payload) -> list[tuple[str, str]]:
    """Returns handles and names of who is in a direct room, as a list of rooms has it."""
    return sorted((each["handle"], each["name"]) for each in room.get("with", []))


def is_alone(person: Browser, slug: str) -> bool:
    return len(person.ask("GET", f"/api/rooms/{slug}/members").json["members"]) == 1


@pytest.mark.alone  # it counts what one server does at once
def test_ten_thousand_messages_are_taken_along_in_little_memory_beside_people_who_talk(database: Path) -> None:
    number, text = 10_000, "x" * 4_000  # 40 MB for each reader
    with Server(database, sign_up="open") as server:
        ann = Browser(server)
        ann.signs_up(HANDLE, name=NAME)
        with Talker(server.port, headers=ann.headers) as talker:
            talker.join("long")
            talker.ask("long", "new_message", message="the first", id="first")
        server.stop()
        query(
            server.database_url,
            "INSERT INTO entry (room, seq, epoch, kind, nth, id, name, author, message, inserted_at)"
            " WITH RECURSIVE places(seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM places WHERE seq < 10000)"
            f" SELECT room, places.seq, epoch, 0, places.seq, places.seq, name, author, '{text}', inserted_at"
            " FROM entry, places",
        )
        query(server.database_url, f"UPDATE room SET last_seq = {number}, last_nth = {number}")
        server.start()
        ann.ask("GET", "/api/me")
        before = peak_bytes(server)
        with exports(ann) as first, exports(ann) as second, Talker(server.port) as bo:
            refused = ann.ask("GET", "/api/me/export")
            assert (refused.status, refused.json["reason"]) == (429, "busy")
            bo.join("lobby")
            for each in range(5):
                assert bo.ask("lobby", "new_message", name="bo", message="hi", id=str(each))["status"] == "ok"
            assert bo.ask("long", "phx_join")["status"] == "ok"
            assert len(bo.ask("long", "history", before=1_000, limit=20)["response"]["messages"]) == 20
            with ThreadPoolExecutor(2) as readers:
                one, other = readers.map(last_line_of, (first, second))
            assert one == other == {"kind": "end", "messages": number}
        assert peak_bytes(server) - before < 30_000_000
        with exports(ann) as again:
            assert again.status == 200
