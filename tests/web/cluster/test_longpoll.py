"""Long polling through nodes that are not the session's: each request of a client comes to the next one in turn."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import count, cycle
from typing import Any, TypeAlias

import pytest

from tests.support.cluster import Cluster
from tests.support.phoenix_client import NDJSON, LongPoll, Request, request, wait_until_read
from tests.support.postgresql import PostgreSQL
from tests.support.server import wait_until
from tests.support.talker import Talker
from tests.web.accounts.conftest import Browser, bearer

HEARTBEAT = '[null,"%s","phoenix","heartbeat",{}]'

rooms = count(1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgreSQL) -> Iterator[Cluster]:
    """Starts two nodes. A test that stops one of them starts it again."""
    options: dict[str, Any] = {"sign_up": "open", "max_unsent_bytes": 4_000_000}
    with Cluster(tmp_path_factory.mktemp("cluster"), postgresql.create_database(), **options) as started:
        yield started


@pytest.fixture
def room() -> str:
    """The name of a room that no other test has."""
    return f"roaming-{next(rooms)}"


class Roamer(LongPoll):
    """A client of one poll session, whose every request goes to the next node in turn."""

    def __init__(
        self, cluster: Cluster, headers: Mapping[str, str] | None = None, *, nodes: tuple[str, ...] = ("east", "west")
    ) -> None:
        self._heard: list[Any] = []
        self._begun: list[Request] = []
        super().__init__(cluster.port(nodes[0]), headers=headers)
        self._ports = cycle([cluster.port(name) for name in nodes])
        self.open()

    def start_get(self) -> Request:
        self._begun.append(super().start_get())
        return self._begun[-1]

    def wait_at(self, port: int) -> Request:
        """Starts a poll at a node, and returns when the session's own has it: it takes the place of an earlier one."""
        for _ in range(2):
            self._begun.append(Request(port, "GET", self.target, self._headers))
            wait_until_read(port)
        assert self._begun[-2].response().json["status"] == 204
        return self._begun[-1]

    def start_post(self, port: int, size: int, body: bytes) -> Request:
        """Sends the head of a POST to a node, and some of its body."""
        headers = {"Content-Type": NDJSON, "Content-Length": str(size)}
        self._begun.append(Request(port, "POST", self.target, headers, body))
        return self._begun[-1]

    def hangs_up(self) -> None:
        for begun in self._begun:
            begun.abandon()

    def pushes(self, room: str, event: str, ref: str, **payload: object) -> None:
        """Posts one push, which has to be taken."""
        answer = self.post(json.dumps([None, ref, f"chat_room:{room}", event, payload]))
        assert answer == {"status": 200}, answer

    def hears(self) -> Any:
        """Returns the next frame, and polls as often as that takes."""
        while not self._heard:
            answer = self.get()
            assert answer["status"] in (200, 204), answer
            assert answer["token"] == self.token
            self._heard += [json.loads(message) for message in answer["messages"]]
        return self._heard.pop(0)

    def hears_of(self, event: str) -> Any:
        """Returns the payload of the next such event."""
        while (frame := self.hears())[3] != event:
            pass
        return frame[4]

    def joins(self, room: str, **params: object) -> None:
        self.pushes(room, "phx_join", "join", **params)
        assert self.hears_of("phx_reply")["status"] == "ok"


def from_page(browser: Browser) -> dict[str, str]:
    """What a browser sends with the requests of a page of its own, to whichever node."""
    return {"Cookie": browser.headers["Cookie"], "Sec-Fetch-Site": "same-origin"}


Roam: TypeAlias = Callable[..., Roamer]


@pytest.fixture
def roam(cluster: Cluster) -> Iterator[Roam]:
    """Begins sessions, and closes their connections in the end."""
    begun: list[Roamer] = []

    def roam(*arguments: Any, **options: Any) -> Roamer:
        begun.append(Roamer(cluster, *arguments, **options))
        return begun[-1]

    yield roam
    for each in begun:
        each.hangs_up()


def test_a_client_joins_posts_hears_and_leaves_through_both_nodes(cluster: Cluster, roam: Roam, room: str) -> None:
    lee = roam()
    with Talker(cluster.port("west")) as ann:
        ann.join(room)
        for number in range(4):  # two of them come to each node
            if number == 0:
                lee.joins(room)
            lee.pushes(room, "new_message", f"{number}", name="lee", message=f"{number}", id=f"l{number}")
            assert ann.wait_for("new_message")["message"] == f"{number}"
            assert lee.hears_of("new_message")["message"] == f"{number}"
            assert lee.hears_of("phx_reply")["response"]["seq"] == number + 1
        lee.pushes(room, "phx_leave", "leave")
        assert lee.hears_of("phx_close") == {}


def test_the_token_names_the_node_of_the_session(cluster: Cluster) -> None:
    for name in ("east", "west"):
        lee = LongPoll(cluster.port(name))
        lee.open()
        assert str(lee.token).startswith(f"{name}.")


def test_frames_come_in_their_order(cluster: Cluster, roam: Roam, room: str) -> None:
    lee = roam()
    lee.joins(room)
    with Talker(cluster.port("west")) as ann:
        ann.join(room)
        for number in range(100):
            ann.push(room, "new_message", name="ann", message=f"{number}")
        heard = [lee.hears_of("new_message") for _ in range(100)]
    assert [(each["seq"], each["message"]) for each in heard] == [(number + 1, f"{number}") for number in range(100)]


def test_a_poll_through_another_node_is_answered_at_the_first_message(cluster: Cluster, roam: Roam, room: str) -> None:
    lee = roam()
    lee.joins(room)
    poll = lee.start_get()
    with Talker(cluster.port("west")) as ann:
        ann.join(room)
        ann.push(room, "typing", name="ann")
    answer = poll.response().json
    assert [json.loads(each)[3:] for each in answer["messages"]] == [["typing", {"name": "ann"}]]


@pytest.mark.parametrize("nodes", [("east", "west"), ("east", "east")], ids=["elsewhere", "here"])
def test_a_poll_without_messages_is_204_at_the_end_of_its_window(
    cluster: Cluster, roam: Roam, nodes: tuple[str, ...]
) -> None:
    lee = roam(nodes=nodes)
    assert lee.get() == {"messages": [], "status": 204, "token": lee.token}


def test_a_later_poll_takes_the_place_of_one_at_another_node(cluster: Cluster, roam: Roam) -> None:
    lee = roam()
    first = lee.start_get()  # west
    lee.post(HEARTBEAT % 1)  # east; which answers it
    assert first.response().json["status"] == 200
    polls = [lee.start_get()]
    for _ in range(3):
        request(lee.port, "GET", "/healthz")
        polls.append(lee.start_get())
        assert polls[-2].response().json == {"messages": [], "status": 204, "token": lee.token}
        with pytest.raises(EOFError):
            polls[-2].connection.read(1)
    lee.post(HEARTBEAT % 2)
    assert json.loads(polls[-1].response().json["messages"][0])[1] == "2"


def test_an_answer_may_be_larger_than_what_nats_takes(cluster: Cluster, roam: Roam, room: str) -> None:
    lee = roam(nodes=("east",))
    lee.joins(room)
    with Talker(cluster.port("east")) as ann:
        ann.join(room)
        texts = [f"{number} ".ljust(4_000, "é") for number in range(200)]
        pushes: list[tuple[str, str, dict[str, object]]] = [
            (room, "new_message", {"name": "ann", "message": text}) for text in texts
        ]
        refs = ann.push_many(pushes)  # at once, as a session ends that is not polled meanwhile
        assert ann.wait_for("phx_reply", refs[-1])["status"] == "ok"
    elsewhere = LongPoll(cluster.port("west"))
    elsewhere.token = lee.token
    messages = elsewhere.get()["messages"]
    assert sum(len(each.encode()) for each in messages) > 1_500_000
    assert [json.loads(each)[4]["message"].split()[0] for each in messages] == list(map(str, range(200)))


def test_a_large_body_goes_through_another_node_in_its_order(cluster: Cluster, roam: Roam) -> None:
    lee = roam()
    frames = [json.dumps([None, f"{number}", "phoenix", "heartbeat", {"x": "x" * 19_000}]) for number in range(100)]
    assert lee.post(*frames) == {"status": 200}
    assert [lee.hears()[1] for _ in range(100)] == [f"{number}" for number in range(100)]


@pytest.mark.parametrize("bad", ["[not json", "not base64!", '["1","1","phoenix","heartbeat"]', "AAEBAQ=="])
def test_a_bad_frame_is_400_and_what_was_before_it_is_taken(cluster: Cluster, roam: Roam, bad: str) -> None:
    here, elsewhere = roam(nodes=("east",)), roam()
    answers = [lee.post(HEARTBEAT % 1, bad, HEARTBEAT % 2) for lee in (here, elsewhere)]
    assert answers[0] == answers[1]
    assert answers[1]["status"] == 400
    assert elsewhere.post(HEARTBEAT % 3) == {"status": 200}
    assert [elsewhere.hears()[1] for _ in range(2)] == ["1", "3"]


def test_a_message_that_is_too_large_is_400_and_the_session_goes_on(cluster: Cluster, roam: Roam) -> None:
    lee = roam()
    large = json.dumps([None, "1", "phoenix", "heartbeat", {"x": "x" * 65_536}])
    assert lee.post(HEARTBEAT % 0, large)["status"] == 400
    assert lee.post(large, content_type="")["status"] == 400
    assert lee.hears()[1] == "0"


def test_a_token_of_no_session_is_410_wherever_it_says_that_it_lives(cluster: Cluster) -> None:
    for token in ("west." + "x" * 43, "nowhere." + "x" * 43, "west.", "west", "x" * 43):
        lee = LongPoll(cluster.port("east"))
        lee.token = token
        assert lee.post(HEARTBEAT % 1) == {"status": 410}
        answer = lee.get()
        assert (answer["status"], answer["token"].partition(".")[0]) == (410, "east")


# ---------------------------------------------------------------- whose a session is


def test_a_session_is_for_those_who_began_it(cluster: Cluster, roam: Roam) -> None:
    ann, bo = Browser(cluster.nodes["east"]), Browser(cluster.nodes["east"])
    handle = ann.signs_up()
    bo.signs_up()
    lee = roam({"X-Phoenix-AuthToken": ann.cookies["chatter"]})
    lee.joins("theirs")
    for headers in (None, bearer(bo.cookies["chatter"]), bearer("nobody's")):
        stolen = LongPoll(cluster.port("west"), headers=headers)
        stolen.token = lee.token
        answer = stolen.get()
        assert (answer["status"], answer["messages"]) == (410, [])
        assert answer["token"].startswith("west.")
        if headers is not None:
            stolen.token = lee.token
            assert stolen.post(HEARTBEAT % 1) == {"status": 410}
    without = LongPoll(cluster.port("west"))
    without.token = lee.token
    assert without.post(HEARTBEAT % 2) == {"status": 200}  # phoenix.js posts without it
    assert lee.hears()[1] == "2"
    again = Browser(cluster.nodes["west"])
    assert again.signs_in(handle).status == 201
    same = LongPoll(cluster.port("west"), headers=bearer(again.cookies["chatter"]))
    same.token = lee.token
    assert same.post(HEARTBEAT % 3) == {"status": 200}
    assert [json.loads(each)[1] for each in same.get()["messages"]] == ["3"]
    here = LongPoll(cluster.port("east"), headers=bearer(again.cookies["chatter"]))
    here.token = lee.token
    assert here.post(HEARTBEAT % 4) == {"status": 200}
    assert [json.loads(each)[1] for each in here.get()["messages"]] == ["4"]


def test_a_session_goes_on_with_another_cookie_of_the_same_person(cluster: Cluster, roam: Roam) -> None:
    first, later = Browser(cluster.nodes["east"]), Browser(cluster.nodes["west"])
    handle = first.signs_up()
    lee = roam(from_page(first))
    assert lee.post(HEARTBEAT % "known") == {"status": 200}
    assert lee.hears()[1] == "known"
    assert later.signs_in(handle).status == 201
    for number, (name, browser) in enumerate([("west", later), ("east", later), ("west", first), ("east", first)]):
        for headers, status in ((None, 410), (from_page(browser), 200)):
            client = LongPoll(cluster.port(name), headers=headers)
            client.token = lee.token
            assert client.post(HEARTBEAT % number) == {"status": status}
        assert [json.loads(each)[1] for each in client.get()["messages"]] == [str(number)]


# ---------------------------------------------------------------- hanging up, stops, deaths


def test_frames_are_kept_where_a_client_hangs_up_at_another_node(cluster: Cluster, roam: Roam) -> None:
    lee = roam(nodes=("east", "west"))
    lee.wait_at(cluster.port("west")).abandon()
    wait_until_read(cluster.port("west"))
    assert lee.post(HEARTBEAT % 1) == {"status": 200}
    assert lee.hears()[1] == "1"


def test_a_post_whose_client_hangs_up_at_another_node_holds_up_no_later_one(cluster: Cluster, roam: Roam) -> None:
    lee = roam()
    begun = lee.start_post(cluster.port("west"), 100, b"x")
    wait_until_read(cluster.port("west"))
    begun.abandon()
    assert lee.post(HEARTBEAT % 1) == {"status": 200}
    assert lee.hears()[1] == "1"


def test_a_post_through_another_node_waits_for_the_end_of_an_earlier_one(cluster: Cluster, roam: Roam) -> None:
    lee = roam()
    lines = [(HEARTBEAT % number).encode() for number in range(3)]
    first = lee.start_post(cluster.port("east"), len(lines[0]), lines[0][:1])
    wait_until_read(cluster.port("east"))
    later = [
        lee.start_post(cluster.port(name), len(line), line)
        for name, line in zip(("west", "east"), lines[1:], strict=True)
    ]
    for name in cluster.nodes:
        wait_until_read(cluster.port(name))
    first.connection.send(lines[0][1:])
    assert [each.response().json for each in (first, *later)] == [{"status": 200}] * 3
    heard = [lee.hears()[1] for _ in range(3)]
    assert (heard[0], set(heard)) == ("0", {"0", "1", "2"})


def test_a_session_whose_node_stops_is_answered_and_then_410(cluster: Cluster, roam: Roam) -> None:
    lee = roam(nodes=("east", "west"))
    poll = lee.wait_at(cluster.port("west"))
    cluster.nodes["east"].stop()
    assert poll.response().json == {"messages": [], "status": 204, "token": lee.token}
    stopped = LongPoll(cluster.port("west"))
    stopped.token = lee.token
    assert stopped.post(HEARTBEAT % 1) == {"status": 410}
    assert stopped.get()["token"].startswith("west.")
    cluster.start()


def test_a_poll_at_a_node_that_stops_ends_and_the_session_goes_on(cluster: Cluster, roam: Roam) -> None:
    lee = roam(nodes=("east",))
    poll = lee.wait_at(cluster.port("west"))
    cluster.nodes["west"].stop()
    assert poll.response().json == {"messages": [], "status": 204, "token": lee.token}
    assert lee.post(HEARTBEAT % 1) == {"status": 200}
    assert [json.loads(each)[1] for each in lee.get()["messages"]] == ["1"]
    cluster.start()


def test_a_session_whose_node_is_killed_is_410_and_another_one_begins(cluster: Cluster, roam: Roam, room: str) -> None:
    lee = roam(nodes=("east", "west"))
    lee.joins(room)
    poll = lee.wait_at(cluster.port("west"))
    cluster.nodes["east"].kill()
    answer = poll.response().json
    assert answer["status"] == 410
    lost = LongPoll(cluster.port("west"))
    lost.token = lee.token
    assert lost.post(HEARTBEAT % 1) == {"status": 410}
    wait_until(lambda: len(cluster.status()["nodes"]) == 1)
    again = LongPoll(cluster.port("west"))
    again.token = answer["token"]
    assert again.post(f'["1","1","chat_room:{room}","phx_join",{{}}]') == {"status": 200}
    assert json.loads(again.get()["messages"][0])[4]["status"] == "ok"
    cluster.start()
