"""Events about rooms and their people, over a real socket: what is asked, what is answered, what others hear."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.server import Server
from tests.web.accounts.conftest import command
from tests.web.rooms.conftest import People, Person, rooms_server


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server on SQLite, then on PostgreSQL."""
    url = request.getfixturevalue("postgresql").create_database() if request.param == "postgresql" else None
    with rooms_server(tmp_path_factory.mktemp("rooms"), url) as running:
        yield running


def test_a_private_room_is_joined_by_its_people_and_they_learn_what_it_is(ann: Person, bo: Person) -> None:
    room = ann.makes_room("Tea", topic="black or green", settings={"history": "since_join"}, members=[f"@{bo.handle}"])
    assert re.fullmatch("p--[a-z2-7]{26}", room)
    joined = bo.joins(room)["room"]
    assert joined.pop("joined_seq") > 0
    assert joined == {
        "kind": "private",
        "title": "Tea",
        "topic": "black or green",
        "settings": {
            "history": "since_join",
            "post": "members",
            "slow_mode": 0,
            "read_only": False,
            "invite": "members",
            "guests": True,
            "listed": True,
            "pins": "moderators",
            "join_notes": "folded",
        },
        "archived": False,
        "role": "member",
        "members": 2,
    }
    assert ann.joins(room)["room"]["role"] == "owner"


def test_who_does_not_know_the_log_is_told_nothing_of_what_the_room_is(ann: Person) -> None:
    room = ann.makes_room()
    assert "room" not in ann.talker.ask(room, "phx_join")["response"]
    assert "room" not in ann.talker.ask(room, "phx_join", since=0, resync=True)["response"]


def test_a_plain_room_tells_nothing_new(ann: Person) -> None:
    assert "room" not in ann.joins("plain-as-ever")


def test_everybody_hears_what_becomes_of_the_room(ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    bo.joins(room)
    ann.joins(room)
    answer = ann.says(room, "set_room", id="r1", title="New", settings={"slow_mode": 5}, archived=False)
    assert answer.keys() == {"id", "seq", "inserted_at"}
    heard = bo.hears("room_event", kind="room", id="r1")
    assert heard == {
        "seq": answer["seq"],
        "id": "r1",
        "kind": "room",
        "by": {"name": ann.handle, "id": ann.id, "handle": ann.handle},
        "at": answer["inserted_at"],
        "set": {"title": "New", "settings": {"slow_mode": 5}},
    }
    assert ann.says(room, "set_room", id="r1", title="New", settings={"slow_mode": 5})["duplicate"] is True
    assert ann.says(room, "set_room", title="New").keys() == {"seq", "duplicate"}


def test_people_are_invited_by_their_handles(ann: Person, bo: Person, people: People) -> None:
    room, cy = ann.makes_room(), people()
    ann.joins(room)
    assert bo.tries_to_join(room) == "unmatched topic"
    answer = ann.says(room, "invite", id="i1", handles=[f"@{bo.handle.upper()}", cy.handle])
    heard = ann.says(room, "history", after=0)
    assert heard["messages"] == []
    assert bo.joins(room)["seq"] == answer["seq"]
    assert cy.joins(room)["room"]["members"] == 3
    assert ann.says(room, "invite", handles=[bo.handle]).keys() == {"seq", "duplicate"}


def test_an_invitation_of_nobody_says_who_that_is(ann: Person, bo: Person) -> None:
    room = ann.makes_room()
    ann.joins(room)
    assert ann.says(room, "invite", handles=[bo.handle, "nobody-1", "nobody-2"]) == {
        "reason": "not_found",
        "handles": ["nobody-1", "nobody-2"],
    }
    assert bo.tries_to_join(room) == "unmatched topic"


def test_a_member_event_names_who_did_what_to_whom(ann: Person, bo: Person) -> None:
    room = ann.makes_room()
    ann.joins(room)
    other = ann.talker
    ann.says(room, "invite", id="i1", handles=[bo.handle])
    bo.joins(room)
    answer = ann.says(room, "set_role", id="s1", handle=bo.handle, role="moderator")
    heard = bo.hears("room_event", id="s1")
    assert heard == {
        "seq": answer["seq"],
        "id": "s1",
        "kind": "member",
        "by": {"name": ann.handle, "id": ann.id, "handle": ann.handle},
        "at": answer["inserted_at"],
        "change": "role",
        "members": [{"id": bo.id, "handle": bo.handle, "name": bo.handle}],
        "role": "moderator",
    }
    assert other is ann.talker


def test_the_removed_hear_it_last_and_are_strangers_then(ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    bo.joins(room)
    ann.joins(room)
    ann.says(room, "remove_member", id="x1", handle=bo.handle, reason="no more tea")
    frames = bo.talker.receive_until(lambda frame: frame.event == "phx_close")
    assert frames[-2].event == "room_event"
    assert frames[-2].payload["reason"] == "no more tea"
    assert bo.tries(room, "new_message", message="still here?") == "unmatched topic"
    assert bo.tries_to_join(room) == "unmatched topic"
    assert bo.asks("GET", f"/api/rooms/{room}").status == 404


def test_the_banned_are_not_invited_again_until_that_is_lifted(ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    ann.says(room, "remove_member", handle=bo.handle, ban=True)
    assert ann.tries(room, "invite", handles=[bo.handle]) == "banned"
    banned = ann.asks("GET", f"/api/rooms/{room}/members").json["banned"]
    assert banned == [{"id": bo.id, "handle": bo.handle, "name": bo.handle}]
    assert ann.tries(room, "unban_member", handle=bo.handle) == "ok"
    assert ann.tries(room, "invite", handles=[bo.handle]) == "ok"
    assert "banned" not in ann.asks("GET", f"/api/rooms/{room}/members").json


def test_the_muted_read_and_say_nothing(ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    bo.joins(room)
    ann.joins(room)
    ann.says(room, "mute_member", handle=bo.handle, minutes=5)
    refused = bo.says(room, "new_message", message="hello")
    assert refused["reason"] == "muted"
    assert refused["until"] == bo.joins(room)["room"]["muted_until"]
    ann.says(room, "mute_member", handle=bo.handle, minutes=0)
    assert bo.tries(room, "new_message", message="hello") == "ok"


def test_people_leave_and_are_answered_before_their_channel_ends(ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    bo.joins(room)
    assert bo.tries(room, "leave_room", id="l1") == "ok"
    bo.talker.wait_for("phx_close")
    assert bo.tries_to_join(room) == "unmatched topic"


def test_frames_behind_an_invitation_keep_their_order(ann: Person, bo: Person) -> None:
    room = ann.makes_room()
    ann.joins(room)
    refs = ann.talker.push_many(
        [
            (room, "new_message", {"message": "before", "id": "m1"}),
            (room, "invite", {"handles": [bo.handle], "id": "i1"}),
            (room, "new_message", {"message": "behind", "id": "m2"}),
            (room, "make_link", {}),
            (room, "new_message", {"message": "last", "id": "m3"}),
        ]
    )
    answers: dict[str | None, Any] = {}
    while len(answers) < len(refs):
        frame = next(ann.talker.frames())
        if frame.ref in refs:
            answers[frame.ref] = frame.payload["response"]
    seqs = [answers[ref].get("seq") for ref in refs]
    assert seqs == [seqs[0], seqs[0] + 1, seqs[0] + 2, None, seqs[0] + 3]


def test_a_leave_behind_an_invitation_ends_the_channel_after_it(ann: Person, bo: Person) -> None:
    room = ann.makes_room()
    ann.joins(room)
    refs = ann.talker.push_many(
        [(room, "invite", {"handles": [bo.handle]}), (room, "phx_leave", {}), (room, "typing", {})]
    )
    frames = ann.talker.receive_until(lambda frame: frame.event == "phx_close")
    answers = {frame.ref: frame.payload["response"] for frame in frames if frame.ref in refs}
    assert answers[refs[1]] == {}
    assert answers[refs[2]] == {"reason": "unmatched topic"}
    assert bo.joins(room)["room"]["members"] == 2


def test_a_call_for_all_of_a_large_room_is_confirmed(ann: Person, people: People) -> None:
    others = [people(old=False).handle for _ in range(16)]
    room = ann.makes_room(members=others)
    ann.joins(room)
    assert ann.says(room, "new_message", message="@room come") == {"reason": "confirm", "people": 17}
    assert ann.tries(room, "new_message", message="@room come", confirmed=True) == "ok"


def test_who_is_named_is_told_and_who_is_not_here_is_said(ann: Person, bo: Person, people: People) -> None:
    cy = people()
    room = ann.makes_room(members=[bo.handle])
    bo.joins(room)
    ann.joins(room)
    answer = ann.says(room, "new_message", id="m1", message=f"@{bo.handle} and @{cy.handle}, `@{ann.handle}`")
    assert answer["not_here"] == [cy.handle]
    assert bo.hears("new_message", id="m1")["mentions"] == {"accounts": [bo.id]}


def test_a_public_room_gets_people_by_join_room(ann: Person, bo: Person) -> None:
    room = f"public-{ann.handle}"
    bo.joins(room)
    ann.joins(room)
    ann.says(room, "new_message", message="hello")
    assert "room" not in ann.joins(room)
    assert ann.tries(room, "join_room", id="j1") == "ok"
    assert bo.hears("room_event", id="j1")["change"] == "joined"
    assert ann.joins(room)["room"]["role"] == "member"


def test_who_is_suspended_is_removed_like_others_and_not_invited(server: Server, ann: Person, bo: Person) -> None:
    room = ann.makes_room(members=[bo.handle])
    ann.joins(room)
    command(server, "account", "suspend", bo.handle)
    assert ann.tries(room, "set_role", handle=bo.handle, role="moderator") == "ok"
    assert ann.tries(room, "remove_member", handle=bo.handle) == "ok"
    assert ann.tries(room, "invite", handles=[bo.handle]) == "not_found"
