"""A lane over a model of the stream, on a loop whose clock jumps."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatter.cluster.errors import Conflict, LaneStopped, LogFull, Unavailable
from chatter.cluster.frames import GENESIS, Author, PlacedTurn
from chatter.cluster.lane import LaneLog
from tests.cluster.lanes import HeardLane, chain_after, frame, opened
from tests.support.log_model import Fault, LogModel
from tests.support.virtual_time import run


def test_every_node_is_handed_the_same_turns_in_the_same_order() -> None:
    async def scenario() -> None:
        ann, bo = await opened(LogModel(), "ann", "bo")
        assert [await ann.say(b"a"), await bo.say(b"b"), await ann.say(b"c")] == [1, 2, 3]
        assert ann.turns == bo.turns
        assert ann.bodies == [b"a", b"b", b"c"]
        assert ann.log.chain == bo.log.chain

    run(scenario())


def test_an_append_returns_once_its_turn_was_handed_over() -> None:
    async def scenario() -> None:
        (ann,) = await opened(LogModel(), "ann")
        seq = await ann.say(b"a")
        assert (ann.turns[-1].seq, ann.turns[-1].by, ann.turns[-1].body) == (seq, "ann", b"a")

    run(scenario())


def test_of_two_that_append_under_one_head_one_must_decide_anew() -> None:
    async def scenario() -> None:
        ann, bo = await opened(LogModel(), "ann", "bo")
        outcomes = await asyncio.gather(ann.say(b"a"), bo.say(b"b"), return_exceptions=True)
        assert outcomes[0] == 1
        assert isinstance(outcomes[1], Conflict)
        assert ann.bodies == bo.bodies == [b"a"]
        assert bo.log.counts.conflicts == 1

    run(scenario())


def test_a_turn_of_an_earlier_start_of_the_node_is_another_ones() -> None:
    async def scenario() -> None:
        model = LogModel()
        before, after = HeardLane(model, "ann", boot=1), HeardLane(model, "ann", boot=2)
        await before.log.open(0, GENESIS)
        await after.log.open(0, GENESIS)
        outcomes = await asyncio.gather(before.say(b"late"), after.say(b"new"), return_exceptions=True)
        assert outcomes[0] == 1
        assert isinstance(outcomes[1], Conflict)
        assert after.bodies == [b"late"]

    run(scenario())


def test_an_append_that_was_decided_at_an_old_head_is_not_tried() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        head = ann.log.head
        await bo.say(b"b")
        with pytest.raises(Conflict):
            await ann.log.append(b"a", head)
        assert len(model.frames) == 1

    run(scenario())


def test_a_conflict_is_told_after_the_turn_that_was_first() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        model.republishes = False
        await bo.say(b"1")
        await bo.say(b"2")
        with pytest.raises(Conflict):
            await ann.say(b"a")
        assert ann.bodies == [b"1", b"2"]

    run(scenario())


@pytest.mark.parametrize("fault", ["answer lost", "request lost", "late", "no leader", "busy"])
@pytest.mark.parametrize("republishes", [True, False])
def test_a_fault_neither_loses_nor_doubles_a_turn(fault: Fault, republishes: bool) -> None:
    async def scenario() -> None:
        model = LogModel()
        model.republishes = republishes
        model.faults.append(fault)
        (ann,) = await opened(model, "ann")
        assert await ann.say(b"a") == 1
        model.deliver_late()
        assert await ann.say(b"b") == 2
        assert ann.bodies == [b"a", b"b"]
        assert len(model.frames) == 2

    run(scenario())


def test_without_a_leader_an_append_is_unavailable_and_nothing_of_it_is_in_the_log() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        model.has_leader = False
        with pytest.raises(Unavailable) as failure:
            await ann.say(b"a", patience=3)
        assert not failure.value.undecided
        assert ann.log.is_writable
        model.has_leader = True
        assert await ann.say(b"b") == 1
        assert ann.bodies == [b"b"]

    run(scenario())


def test_an_undecided_append_is_placed_later_and_keeps_others_out_until_then() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        model.faults.append("request lost")
        asyncio.get_running_loop().call_later(0.001, setattr, model, "has_leader", False)
        with pytest.raises(Unavailable) as failure:
            await ann.say(b"a", patience=3)
        assert failure.value.undecided
        with pytest.raises(Unavailable):
            await ann.say(b"b")
        model.has_leader = True
        assert await ann.log.settled() == 1
        assert ann.log.is_writable
        assert ann.bodies == [b"a"]
        assert ann.log.counts.undecided == 1

    run(scenario())


def test_an_undecided_append_is_settled_by_another_turn() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        model.faults.append("late")
        model.faults.extend("no leader" for _ in range(40))
        with pytest.raises(Unavailable):
            await ann.say(b"a", patience=3)
        model.faults.clear()
        await bo.say(b"b")
        assert await ann.log.settled() is None
        model.deliver_late()
        assert ann.bodies == bo.bodies == [b"b"]
        assert ann.log.is_writable

    run(scenario())


def test_an_append_whose_caller_is_cancelled_is_undecided() -> None:
    async def scenario() -> None:
        model = LogModel()
        model.faults.append("request lost")
        (ann,) = await opened(model, "ann")
        saying = asyncio.create_task(ann.say(b"a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # now it is on its way
        saying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saying
        assert await ann.log.settled() == 1
        assert ann.bodies == [b"a"]

    run(scenario())


def test_a_full_stream_takes_nothing_and_loses_nothing() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        await ann.say(b"a")
        model.faults.append("full")
        with pytest.raises(LogFull):
            await ann.say(b"b")
        assert await ann.say(b"c") == 2
        assert ann.bodies == [b"a", b"c"]

    run(scenario())


def test_an_append_after_an_unknown_outcome_is_not_called_full() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        model.faults.extend(["late", "full"])
        assert await ann.say(b"a") == 1
        model.deliver_late()
        assert ann.bodies == [b"a"]

    run(scenario())


def test_a_turn_that_was_not_republished_is_read_when_the_next_is_heard() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        model.republishes = False
        await ann.say(b"1")
        model.republishes = True
        model.staleness = 2
        await ann.say(b"2")
        await asyncio.sleep(1)
        assert bo.bodies == [b"1", b"2"]
        assert bo.log.counts.gaps_read == 1

    run(scenario())


def test_what_is_heard_while_a_gap_is_read_is_not_read_too() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        model.republishes, model.batch = False, 1
        await ann.say(b"0")
        model.republishes, model.staleness = True, 6
        for number in range(1, 50):
            await ann.say(b"%d" % number)
        await asyncio.sleep(1)
        assert bo.turns == ann.turns
        assert model.reads < 10

    run(scenario())


def test_a_lost_tail_is_read_once_another_node_tells_its_head() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        model.republishes = False
        await ann.say(b"1")
        bo.log.hear_head(ann.log.head)
        await asyncio.sleep(0.2)
        assert bo.bodies == [b"1"]
        assert bo.log.counts.tails_repaired == 1

    run(scenario())


def test_a_head_that_is_in_no_log_is_forgotten() -> None:
    async def scenario() -> None:
        ann, bo = await opened(LogModel(), "ann", "bo")
        bo.log.hear_head(99)
        await asyncio.sleep(10)
        assert await ann.say(b"1") == 1
        assert await bo.say(b"2") == 2
        assert bo.log.stopped is None

    run(scenario())


def test_a_lane_opens_at_its_position_and_reads_the_rest() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        for body in b"abcdefgh":
            await ann.say(bytes([body]))
        late = HeardLane(model, "late")
        await late.log.open(5, ann.turns[4].chain)
        assert late.turns == ann.turns[5:]
        assert await late.say(b"i") == 9

    run(scenario())


@pytest.mark.parametrize("position", range(4))
def test_a_lane_that_opens_without_a_chain_takes_it_from_the_log(position: int) -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        for body in (b"a", b"b", b"c"):
            await ann.say(body)
        late = HeardLane(model, "late")
        await late.log.open(position)
        assert late.log.chain == ann.log.chain
        assert await late.say(b"d") == 4
        assert ann.log.stopped is None

    run(scenario())


def test_turns_that_are_heard_while_a_lane_opens_are_not_handed_over_early() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        for body in b"abcdefgh":
            await ann.say(bytes([body]))
        late = HeardLane(model, "late")
        opening = asyncio.create_task(late.log.open(0, GENESIS))
        await asyncio.sleep(0)
        await ann.say(b"i")
        await opening
        assert late.turns == ann.turns

    run(scenario())


def test_a_log_may_begin_anywhere() -> None:
    async def scenario() -> None:
        model = LogModel(first=101)
        ann = HeardLane(model, "ann")
        await ann.log.open(100, GENESIS)
        assert await ann.say(b"a") == 101

    run(scenario())


def test_a_turn_put_in_by_hand_under_a_wrong_head_counts_for_nobody() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        await ann.say(b"a")
        model.put(frame(0, b"by hand"))
        assert await bo.say(b"b") == 3
        assert ann.turns == bo.turns
        assert ann.bodies == [b"a", b"b"]
        assert [turn.is_void for turn in ann.turns] == [False, True, False]
        assert ann.log.counts.invalid == bo.log.counts.invalid == 1

    run(scenario())


def test_if_the_compare_fails_the_late_turn_is_void_and_its_author_decides_anew() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        model.faults.append("late")
        saying = asyncio.create_task(ann.say(b"a"))
        await asyncio.sleep(0.005)
        await bo.say(b"b")
        model.put(model._late.popleft()[0])
        with pytest.raises(Conflict):
            await saying
        assert ann.bodies == bo.bodies == [b"b"]
        assert bo.log.counts.invalid == 1

    run(scenario())


def purge(model: LogModel) -> None:
    model.purge(4)


def recreate(model: LogModel) -> None:
    model.created = "2026-02-02T00:00:00Z"


def test_a_log_that_went_back_is_noticed_while_nobody_speaks() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        for _ in range(3):
            await ann.say(b"")
        model.forget(2)
        for _ in range(5):
            await ann.log.look()
            await asyncio.sleep(1.7)
        assert ann.alarms == ["the log of lane 0 went back: it ends at 1, turn 3 was heard"]

    run(scenario())


def test_a_look_finds_a_last_turn_that_was_not_heard() -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        model.republishes = False
        await ann.say(b"a")
        await bo.log.look()
        await asyncio.sleep(1.0)
        assert bo.bodies == [b"a"]

    run(scenario())


def forget(model: LogModel) -> None:
    model.forget(3)


def put_other_history(model: LogModel) -> None:
    model.republishes = True
    model.put(frame(4, b"other", chain=b"?" * 16))


def put_newer_version(model: LogModel) -> None:
    model.republishes = True
    model.put(b"CT\x02")


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (purge, "the log of lane 0 begins at 4: the turns from 2 on are not in it any more"),
        (recreate, "the stream of lane 0 was created anew at 2026-02-02T00:00:00Z"),
        (put_other_history, "turn 5 of lane 0, by node by hand, follows another history"),
        (put_newer_version, "turn 5 of lane 0 is of a newer Chatter: expected a frame of version 1, got 02"),
    ],
)
def test_a_hole_that_cannot_be_there_stops_a_lane_and_says_so(fault: object, why: str) -> None:
    async def scenario() -> None:
        model = LogModel()
        ann, bo = await opened(model, "ann", "bo")
        await ann.say(b"1")
        model.republishes = False
        for body in (b"2", b"3", b"4"):
            await ann.say(body)
        assert callable(fault)
        fault(model)
        if not bo.alarms:
            await bo.log.refresh()
        await asyncio.sleep(5)
        assert [alarm for alarm in bo.alarms if why in alarm] == bo.alarms != []
        with pytest.raises(LaneStopped, match=r".+"):
            await bo.say(b"5")

    run(scenario())


def test_a_log_that_goes_back_stops_a_lane_once_its_leader_keeps_saying_so() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        for body in (b"1", b"2", b"3"):
            await ann.say(body)
        model.forget(2)
        with pytest.raises(LaneStopped, match="went back: it ends at 1, turn 3 was heard"):
            await ann.say(b"4")

    run(scenario())


def test_a_lane_does_not_open_where_the_log_has_less_than_its_position() -> None:
    async def scenario() -> None:
        lane = HeardLane(LogModel(), "ann")
        with pytest.raises(LaneStopped, match="the log of lane 0 is lost: expected turn 7, it ends at 0"):
            await lane.log.open(7, GENESIS)

    run(scenario())


@pytest.mark.parametrize("saved", [5, 6, 7], ids=["nothing", "too little", "all"])
def test_a_lane_asks_anew_for_a_position_that_the_log_was_trimmed_beyond(saved: int) -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        for body in b"abcdefgh":
            await ann.say(bytes([body]))
        model.purge(8)

        async def find_position() -> tuple[int, bytes]:
            return saved, ann.turns[saved - 1].chain

        late = HeardLane(model, "late")
        opening = late.log.open(5, ann.turns[4].chain, find_position)
        if saved == 7:
            await opening
            assert late.turns == ann.turns[7:]
            assert await late.say(b"i") == 9
        else:
            with pytest.raises(LaneStopped, match=f"begins at 8: the turns from {saved + 1} on are not in it any more"):
                await opening

    run(scenario())


def test_a_lane_does_not_open_where_its_chain_is_another() -> None:
    async def scenario() -> None:
        model = LogModel()
        (ann,) = await opened(model, "ann")
        await ann.say(b"a")
        await ann.say(b"b")
        with pytest.raises(LaneStopped, match="follows another history"):
            await HeardLane(model, "bo").log.open(1, chain_after(b"else"))

    run(scenario())


def test_a_turn_that_the_application_cannot_take_stops_the_lane() -> None:
    def fail(turn: PlacedTurn) -> None:
        raise KeyError(turn.body)

    async def scenario() -> None:
        alarms: list[str] = []
        lane = LaneLog(0, LogModel(), author=Author("bo", 1), on_turn=fail, on_stopped=alarms.append)
        await lane.open(0, GENESIS)
        lane.hear(1, frame(0, b"a"))
        assert alarms == ["turn 1 of lane 0 could not be applied: KeyError(b'a')"]

    run(scenario())


FAULTS = st.lists(
    st.sampled_from(["answer lost", "request lost", "late", "no leader", "busy", "full", "none"]), max_size=12
)


@given(
    says=st.lists(st.tuples(st.integers(0, 2), FAULTS, st.booleans(), st.integers(0, 3)), min_size=1, max_size=12),
    together=st.integers(1, 4),
)
def test_whatever_happens_all_nodes_have_one_log_and_every_acknowledged_turn_once(
    says: list[tuple[int, list[Fault], bool, int]], together: int
) -> None:
    async def scenario() -> None:
        model = LogModel()
        nodes = await opened(model, "ann", "bo", "cy")
        acknowledged: list[tuple[int, bytes]] = []

        async def say(node: HeardLane, body: bytes) -> None:
            while body not in node.bodies:
                try:
                    acknowledged.append((await node.say(body, patience=0.05), body))
                except (Conflict, LogFull, Unavailable):
                    await node.log.settled()
                    await asyncio.sleep(0.001)

        waiting = []
        for number, (who, faults, republishes, staleness) in enumerate(says):
            model.faults.extend(faults)
            model.republishes, model.staleness = republishes, staleness
            waiting.append(asyncio.create_task(say(nodes[who], b"%d" % number)))
            if number % together == 0:
                await asyncio.gather(*waiting)
                waiting.clear()
                model.deliver_late()
        await asyncio.gather(*waiting)
        model.faults.clear()
        model.deliver_late()
        for node in nodes:
            await node.log.refresh()
            assert node.log.stopped is None
        assert nodes[0].turns == nodes[1].turns == nodes[2].turns
        assert [turn.seq for turn in nodes[0].turns] == list(range(1, model.last + 1))
        assert sorted(nodes[0].bodies) == sorted(b"%d" % number for number in range(len(says)))
        for seq, body in acknowledged:
            assert nodes[0].turns[seq - 1].body == body

    run(scenario())
