"""The room's log through a socket: what clients hear that know it, and what all others do."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.support.member import Member
from tests.support.server import Server


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    """Starts a server with small rings, so that most of the past is in the database."""
    with Server(database, ring_size=5, greeting_size=3, max_recovery_page=10, max_recovery_gap=50) as running:
        yield running


def done(answer: dict[str, Any]) -> Any:
    assert answer["status"] == "ok", answer
    return answer["response"]


def refused(answer: dict[str, Any]) -> Any:
    assert answer["status"] == "error", answer
    return answer["response"]


def test_what_is_done_to_a_message_is_heard_by_who_knows_the_log(server: Server) -> None:
    with Member(server.port, "lobby", log=2) as ann, Member(server.port, "lobby", "bo", log=2) as bo:
        at = done(ann.post_and_wait("hello"))["inserted_at"]
        assert bo.wait_for("new_message") == {
            "seq": 1,
            "nth": 1,
            "id": "hello",
            "name": "ann",
            "message": "hello",
            "inserted_at": at,
        }
        edited = done(ann.ask("edit_message", seq=1, message="hello!", id="e"))
        assert bo.wait_for("room_event") == {
            "seq": 2,
            "id": "e",
            "kind": "edit",
            "target": 1,
            "at": edited["inserted_at"],
            "by": {"name": "ann"},
            "message": "hello!",
            "edits": 1,
        }
        reacted = done(bo.ask("react", name="bo", seq=1, key="❤️"))
        assert ann.wait_for("room_event")["kind"] == "edit"
        assert ann.wait_for("room_event") == {
            "seq": 3,
            "id": reacted["id"],
            "kind": "react",
            "target": 1,
            "at": reacted["inserted_at"],
            "key": "❤",
            "add": ["bo"],
            "remove": [],
            "count": 1,
            "names": ["bo"],
        }
        done(bo.ask("pin", name="bo", seq=1, id="p"))
        done(bo.ask("unpin", name="bo", seq=1, id="u"))
        assert [ann.wait_for("room_event")["kind"] for _ in range(2)] == ["pin", "unpin"]
        reply = done(bo.ask("new_message", name="bo", message="yes", id="r", reply_to=1))
        heard = [ann.wait_for("new_message") for _ in range(2)][-1]
        assert (heard["seq"], heard["nth"], heard["reply_to"], heard["root"], heard["root_replies"]) == (6, 2, 1, 1, 1)
        assert done(ann.ask("history", limit=2)) == {
            "messages": [
                {
                    "seq": 1,
                    "nth": 1,
                    "id": "hello",
                    "name": "ann",
                    "message": "hello!",
                    "inserted_at": at,
                    "changed": 6,
                    "edits": 1,
                    "edited_at": edited["inserted_at"],
                    "reactions": {"❤": {"count": 1, "names": ["bo"]}},
                    "replies": 1,
                    "last_reply_seq": 6,
                },
                {
                    "seq": 6,
                    "nth": 2,
                    "id": "r",
                    "name": "bo",
                    "message": "yes",
                    "inserted_at": reply["inserted_at"],
                    "reply_to": 1,
                    "root": 1,
                },
            ],
            "more": False,
            "as_of": 6,
        }
        deleted = done(ann.ask("delete_message", seq=1, id="d", reason="oops"))
        bo.wait_for("new_message")
        events = [bo.wait_for("room_event") for _ in range(4)]
        assert events[-1] == {
            "seq": 7,
            "id": "d",
            "kind": "delete",
            "target": 1,
            "at": deleted["inserted_at"],
            "by": {"name": "ann"},
        }


def test_who_counts_places_hears_other_entries_as_void_ones_and_the_tutorial_nothing(server: Server) -> None:
    with (
        Member(server.port, "lobby", log=2) as ann,
        Member(server.port, "lobby", resync=True) as counting,
        Member(server.port, "lobby") as tutorial,
    ):
        done(ann.post_and_wait("hello"))
        at = done(ann.ask("edit_message", seq=1, message="hello!", id="e"))["inserted_at"]
        said = done(ann.post_and_wait("again"))["inserted_at"]
        assert counting.wait_for_posts(1) == [(1, "hello")]
        assert counting.wait_for("new_message") == {
            "seq": 2,
            "id": "void-2",
            "name": "",
            "message": "",
            "inserted_at": at,
            "void": True,
        }
        plain = {"seq": 3, "id": "again", "name": "ann", "message": "again", "inserted_at": said}
        assert counting.wait_for("new_message") == plain
        assert tutorial.wait_for_posts(1) == [(1, "hello")]
        assert tutorial.wait_for("new_message") == plain


def test_a_newcomer_without_the_log_is_greeted_with_current_texts(server: Server) -> None:
    with Member(server.port, "lobby", log=2) as ann:
        for number in range(1, 6):
            done(ann.post_and_wait(f"number {number}"))
        done(ann.ask("edit_message", seq=4, message="number four"))
        done(ann.ask("delete_message", seq=5))
        for number in range(12):
            done(ann.ask("react", name=f"person {number}", seq=4, key="👍"))
        with Member(server.port, "lobby") as tutorial:
            assert tutorial.wait_for_posts(3) == [(2, "number 2"), (3, "number 3"), (4, "number four")]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_client_that_missed_little_is_pushed_entries_and_one_that_missed_much_reads_rows(
    server: Server, *, restarts: bool
) -> None:
    with Member(server.port, "lobby", log=2) as ann:
        epoch = ann.join_response["epoch"]
        for number in range(1, 4):
            done(ann.post_and_wait(f"number {number}"))
        for number in range(5):
            done(ann.ask("edit_message", seq=1, message=f"edit {number}"))
        done(ann.post_and_wait("last"))
        if restarts:
            server.stop()
            server.start()
        with Member(server.port, "lobby", log=2, since=3, epoch=epoch) as bo:
            assert (bo.join_response["missed"], bo.join_response["more"]) == (6, False)
            kinds = [bo.wait_for("room_event")["message"] for _ in range(5)]
            assert kinds == [f"edit {number}" for number in range(5)]
            assert bo.wait_for("new_message")["seq"] == 9
        with Member(server.port, "lobby", "eve", log=2) as eve:
            for number in range(20):
                done(eve.ask("react", name=f"person {number}", seq=2, key="👍"))
        with Member(server.port, "lobby", log=2, since=3, epoch=epoch) as bo:
            assert (bo.join_response["recovered"], bo.join_response["more"]) == (True, True)
            rows, page = [], {"more": True, "next": 3}
            while page["more"]:
                page = done(bo.ask("history", after=page["next"], limit=1))
                rows += page["messages"]
            assert [(row["seq"], row.get("changed", row["seq"])) for row in rows] == [(1, 8), (9, 9), (2, 29)]
            assert page["as_of"] == 29


def test_a_client_that_missed_more_rows_than_it_may_starts_over(server: Server) -> None:
    with Member(server.port, "lobby", log=2) as ann:
        epoch = ann.join_response["epoch"]
        for number in range(51):
            ann.post(f"number {number}")
        done(ann.post_and_wait("number 51"))
        for since, recovered in ((1, False), (2, True)):
            with Member(server.port, "lobby", log=2, since=since, epoch=epoch) as bo:
                assert bo.join_response["recovered"] is recovered


def test_operations_are_done_once_across_a_restart(server: Server) -> None:
    operations = (
        ("edit_message", {"seq": 1, "message": "new", "id": "e"}),
        ("pin", {"name": "ann", "seq": 1, "id": "p"}),
        ("react", {"name": "ann", "seq": 1, "key": "👍"}),
        ("delete_message", {"seq": 2, "id": "d"}),
    )
    with Member(server.port, "lobby", log=2) as ann:
        for number in (1, 2):
            done(ann.post_and_wait(f"number {number}"))
        first = [done(ann.ask(event, **payload))["seq"] for event, payload in operations]
        for number in range(3, 15):
            done(ann.post_and_wait(f"number {number}"))
    server.stop()
    server.start()
    with Member(server.port, "lobby", log=2) as ann:
        again = [done(ann.ask(event, **{**payload, "repeat": True})) for event, payload in operations]
        assert [(answer["seq"], answer["duplicate"]) for answer in again] == [(seq, True) for seq in first]


def test_pins_and_threads_and_single_messages_are_read(server: Server) -> None:
    with Member(server.port, "lobby", log=2) as ann:
        for number in range(1, 4):
            done(ann.post_and_wait(f"number {number}"))
        for number in range(3):
            done(ann.post_and_wait(f"reply {number}", reply_to=1))
        for seq in (3, 1):
            done(ann.ask("pin", name="ann", seq=seq))
        for number in range(6):
            done(ann.post_and_wait(f"later {number}"))

        def seqs(**asked: Any) -> tuple[list[int], bool]:
            page = done(ann.ask("history", **asked))
            return [row["seq"] for row in page["messages"]], page["more"]

        assert seqs(pinned=True) == ([1, 3], False)
        assert seqs(root=1) == ([1, 4, 5, 6], False)
        assert seqs(root=1, limit=2) == ([5, 6], True)
        assert seqs(root=1, before=5, limit=2) == ([1, 4], False)
        assert seqs(root=1, after=4, limit=1) == ([5], True)
        assert seqs(seqs=[2, 7, 1, 99]) == ([1, 2], False)


def test_all_who_have_reacted_are_read_also_of_what_only_the_database_has(server: Server) -> None:
    crowd = [f"p{number}" for number in range(12)]
    with Member(server.port, "lobby", log=2) as ann:
        done(ann.post_and_wait("hello"))
        for name in [*crowd, "ann"]:
            done(ann.ask("react", name=name, seq=1, key="❤️"))
        everybody = {"count": 13, "names": [*crowd, "ann"], "mine": True}
        assert done(ann.ask("reactions", name="ann", seq=1, key="❤")) == everybody
        for number in range(10):
            done(ann.post_and_wait(f"later {number}"))
    server.stop()
    server.start()
    with Member(server.port, "lobby", "bo", log=2) as bo:
        assert done(bo.ask("reactions", name="ann", seq=1, key="❤️")) == everybody
        assert done(bo.ask("reactions", seq=1, key="❤")) == {**everybody, "mine": False}
        assert done(bo.ask("reactions", seq=1, key="👍")) == {"count": 0, "names": [], "mine": False}
        assert refused(bo.ask("reactions", seq=99, key="👍"))["reason"] == "not_found"
        assert done(bo.ask("unreact", name="ann", seq=1, key="❤"))["seq"] > 0
        assert done(bo.ask("reactions", name="ann", seq=1, key="❤"))["names"] == crowd


def test_pins_that_are_too_much_for_one_page_are_read_in_several(server: Server) -> None:
    with Member(server.port, "lobby", log=2) as ann:
        for number in range(1, 21):  # each takes 16 kB of the 256 of a page
            done(ann.post_and_wait("👍" * 4_000, id=f"message {number}"))
            done(ann.ask("pin", name="ann", seq=2 * number - 1))
        read: list[int] = []
        page: dict[str, Any] = {"more": True}
        while page["more"]:
            page = done(ann.ask("history", pinned=True, **({"before": read[-1]} if read else {})))
            read += [row["seq"] for row in page["messages"]]
        assert read == list(range(39, 0, -2))
        done(ann.ask("unpin", name="ann", seq=3))
        first = done(ann.ask("history", pinned=True, before=3))
        assert first["messages"][0]["seq"] == 39  # it begins anew after what is no longer pinned


@pytest.mark.parametrize(
    ("event", "payload", "field"),
    [
        ("edit_message", {"message": "x"}, "seq"),
        ("edit_message", {"seq": 0, "message": "x"}, "seq"),
        ("edit_message", {"seq": 1}, "message"),
        ("edit_message", {"seq": 1, "message": " "}, "message"),
        ("edit_message", {"seq": 1, "message": "x" * 4_001}, "message"),
        ("edit_message", {"seq": 1, "message": "x", "if_changed": "1"}, "if_changed"),
        ("edit_message", {"seq": 1, "message": "x", "id": "x" * 65}, "id"),
        ("delete_message", {"seq": 1, "reason": "x" * 501}, "reason"),
        ("delete_message", {"seq": True}, "seq"),
        ("react", {"seq": 1, "key": "👍"}, "name"),
        ("react", {"name": "ann", "seq": 1, "key": "thumb"}, "key"),
        ("react", {"name": "ann", "seq": 1, "key": "👍👍"}, "key"),
        ("react", {"name": "ann", "seq": 1, "key": "🇩"}, "key"),
        ("unreact", {"name": "ann", "seq": 1}, "key"),
        ("reactions", {"key": "👍"}, "seq"),
        ("reactions", {"seq": 1}, "key"),
        ("reactions", {"seq": 1, "key": "thumb"}, "key"),
        ("reactions", {"seq": 1, "key": "👍", "name": " "}, "name"),
        ("pin", {"seq": 1}, "name"),
        ("unpin", {"name": "ann"}, "seq"),
        ("new_message", {"name": "ann", "message": "x", "reply_to": -1}, "reply_to"),
        ("history", {"seqs": []}, "seqs"),
        ("history", {"seqs": [0]}, "seq"),
        ("history", {"root": "1"}, "root"),
        ("history", {"root": 1, "around": 2}, "around"),
        ("history", {"pinned": 1}, "pinned"),
    ],
)
def test_what_is_wrong_with_an_operation_is_said(
    server: Server, event: str, payload: dict[str, Any], field: str
) -> None:
    with Member(server.port, "lobby", log=2) as ann:
        answer = refused(ann.ask(event, **payload))
        assert (answer["reason"], answer["field"]) == ("invalid", field)


@pytest.mark.parametrize("log", [1, 3, "2", True])
def test_a_log_of_another_version_is_refused(server: Server, log: object) -> None:
    with Member(server.port, "lobby", log=2) as ann:
        answer = refused(ann.ask("phx_join", log=log))
        assert (answer["reason"], answer["field"]) == ("invalid", "log")


def test_operations_have_a_rate_of_their_own(database: Path) -> None:
    with (
        Server(database, rate_limits="on", operation_rate="0.01/2", message_rate="0.01/2") as server,
        Member(server.port, "lobby", log=2) as ann,
    ):
        done(ann.post_and_wait("hello"))
        answers = [ann.ask("react", name="ann", seq=1, key=key) for key in "🙂🎉🔥"]
        assert [answer["status"] for answer in answers] == ["ok", "ok", "error"]
        assert refused(answers[-1])["reason"] == "rate_limited"
        done(ann.post_and_wait("a message is none"))


def test_rooms_are_listed_by_messages_and_not_by_what_was_done_to_them(server: Server) -> None:
    with Member(server.port, "first", log=2) as ann, Member(server.port, "second", log=2) as bo:
        done(ann.post_and_wait("hello"))
        done(bo.post_and_wait("hello"))
        done(ann.ask("pin", name="ann", seq=1))
        with urlopen(f"{server.url}/api/rooms") as response:
            rooms = json.load(response)["rooms"]
        assert [(room["name"], room["seq"], room["nth"]) for room in rooms] == [("second", 1, 1), ("first", 2, 1)]
