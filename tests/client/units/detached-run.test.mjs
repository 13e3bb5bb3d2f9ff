import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { MAX_HELD } from "../../../web/client/room/run.js";
import { nearest } from "../../../web/client/room/detached-run.js";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket, message, messages, settled } from "./fakes.mjs";

let socket;
let room;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  socket = new FakeSocket();
  room = new Room(socket, "lobby", () => "ann", new FakeOutbox(), new FakeOutbox());
});

const seqs = (run) => run.messages.value.map((each) => each.seq);
const range = (from, to) => messages(from, to).map((each) => each.seq);
const asked = () => socket.latest.sent("history").map((push) => push.payload);

/** Replies to the latest request for history. */
async function answer(from, to, changes = {}) {
  socket.latest
    .sent("history")
    .at(-1)
    .reply("ok", { messages: messages(from, to), more: from > 1, ...changes });
  await settled();
}

/** Joins a room whose newest message is `newest`, of which the last ten are held. */
async function joins(newest, changes = {}) {
  room.join("ann");
  socket.latest.joins(messages(newest - 9, newest), changes);
  await settled();
}

/** Opens the message 100 of 3,000: 76 to 125 are held apart from 2,991 to 3,000. */
async function opens100() {
  await joins(3000);
  room.showMessage(100);
  await answer(76, 125);
}

test("a message that is not held is shown with those around it, apart from the newest", async () => {
  await opens100();
  assert.deepEqual(asked().at(-1), { around: 100 });
  assert.deepEqual(seqs(room.detached.shown.value), range(76, 125));
  assert.deepEqual(room.detached.target.value, { asked: 100, state: "shown", seq: 100 });
  assert.equal(room.detached.arrival.value, 100);
  assert.deepEqual(seqs(room.history), range(2991, 3000));
});

test("a message that is held is shown without a request", async () => {
  await opens100();
  const before = asked().length;
  room.showMessage(80);
  assert.equal(room.detached.shown.value, room.detached.run.value);
  room.showMessage(2995);
  assert.equal(room.detached.shown.value, room.history);
  assert.deepEqual(room.detached.target.value, { asked: 2995, state: "shown", seq: 2995 });
  assert.equal(asked().length, before);
});

test("what is new joins the live run only", async () => {
  await opens100();
  socket.latest.receives("new_message", message(3001));
  assert.deepEqual(seqs(room.detached.shown.value), range(76, 125));
  assert.equal(room.history.last, 3001);
});

test("the run grows both ways, one request at a time", async () => {
  await opens100();
  socket.latest.sent("history")[0].reply("error", { reason: "timeout" }); // that of the live run
  await settled();
  room.loadOlder();
  assert.deepEqual(asked().at(-1), { before: 76 });
  await answer(26, 75);
  room.detached.loadNewer();
  room.detached.loadNewer();
  assert.deepEqual(asked().slice(-2), [{ before: 76 }, { around: 125 }]);
  await answer(126, 375);
  assert.deepEqual(seqs(room.detached.shown.value), range(26, 375));
  assert.equal(room.detached.run.value.hasMore.value, true);
  assert.deepEqual(seqs(room.history), range(2991, 3000));
});

test("where the two runs touch they become one", async () => {
  await opens100();
  room.detached.loadNewer();
  await answer(126, 2990);
  assert.equal(room.detached.run.value, null);
  assert.deepEqual(seqs(room.history), range(76, 3000));
  assert.equal(room.history.hasMore.value, true);
  socket.latest.receives("new_message", message(3001));
  assert.equal(seqs(room.detached.shown.value).at(-1), 3001);
});

test("a page that reaches the live run is part of it", async () => {
  await joins(3000);
  room.showMessage(2970);
  await answer(2946, 2995);
  assert.equal(room.detached.run.value, null);
  assert.deepEqual(seqs(room.history), range(2946, 3000));
  assert.equal(room.detached.arrival.value, 2970);
});

test("older messages of the live run meet the run apart too", async () => {
  await joins(3000); // asks for older ones
  room.showMessage(2930);
  const [older, around] = socket.latest.sent("history");
  around.reply("ok", { messages: messages(2906, 2955), more: true, more_after: true });
  await settled();
  assert.deepEqual(seqs(room.detached.shown.value), range(2906, 2955));
  older.reply("ok", { messages: messages(2941, 2990), more: true });
  await settled();
  assert.deepEqual(seqs(room.detached.shown.value), range(2906, 3000));
  assert.equal(room.detached.run.value, null);
});

test("a void place counts for the run and is not shown; the nearest message is", async () => {
  await joins(3000);
  room.showMessage(100);
  const page = messages(76, 125).map((each) => (each.seq === 100 ? message(100, { void: true }) : each));
  await answer(76, 125, { messages: page });
  assert.deepEqual(room.detached.target.value, { asked: 100, state: "shown", seq: 99 });
  socket.latest.receives("message_voided", { seq: 99 });
  assert.equal(seqs(room.detached.run.value).includes(99), false);
  room.detached.loadNewer();
  assert.deepEqual(asked().at(-1), { around: 125 });
});

test("beyond the newest message the newest is shown, and in an empty room nothing", async () => {
  await joins(3000);
  room.showMessage(9999);
  await answer(2951, 3000);
  assert.deepEqual(room.detached.target.value, { asked: 9999, state: "shown", seq: 3000 });
  room.showMessage(9999);
  await answer(1, 0);
  assert.equal(room.detached.shown.value, room.history);
});

test("the newest messages drop the run", async () => {
  await opens100();
  room.showNewest();
  assert.equal(room.detached.shown.value, room.history);
  assert.equal(room.detached.target.value, null);
  assert.deepEqual(seqs(room.history), range(2991, 3000));
});

test("a run that was dropped ignores the pages it has asked for", async () => {
  await opens100();
  room.detached.loadNewer();
  room.loadOlder();
  room.showNewest();
  const [newer, older] = socket.latest.sent("history").slice(-2);
  newer.reply("ok", { messages: messages(126, 375), more: true });
  older.reply("ok", { messages: messages(26, 75), more: true });
  await settled();
  assert.deepEqual(seqs(room.detached.shown.value), range(2991, 3000));
});

test("only the message that was asked for last is shown", async () => {
  await joins(3000);
  room.showMessage(100);
  const first = socket.latest.sent("history").at(-1);
  room.showMessage(500);
  await answer(476, 525);
  first.reply("ok", { messages: messages(76, 125), more: true });
  await settled();
  assert.deepEqual(seqs(room.detached.shown.value), range(476, 525));
});

test("a message that is asked for before the join is shown after it, and nothing else until then", async () => {
  room.showMessage(100);
  assert.equal(room.detached.isBlank.value, true);
  await joins(3000);
  assert.equal(room.detached.isBlank.value, true);
  const around = socket.latest.sent("history").filter((push) => push.payload.around);
  assert.equal(around.length, 1);
  around[0].reply("ok", { messages: messages(76, 125), more: true, more_after: true });
  await settled();
  assert.equal(room.detached.isBlank.value, false);
  assert.equal(room.detached.arrival.value, 100);
});

test("a lost answer is asked for again after the next join, and dropped ones after a resync", async () => {
  await joins(3000);
  room.showMessage(100);
  socket.latest.disconnects();
  await settled();
  assert.equal(room.detached.target.value.state, "opening");
  socket.latest.joins([]);
  socket.latest.receives("resync", { seq: 3000 });
  await settled();
  assert.deepEqual(
    asked().filter((payload) => payload.around),
    [{ around: 100 }, { around: 100 }, { around: 100 }],
  );
});

test("a busy server is asked again, a few times", async () => {
  await joins(3000);
  room.showMessage(100);
  for (let failures = 0; failures < 3; failures += 1) {
    socket.latest.sent("history").at(-1).reply("error", { reason: "busy", retry_after_ms: 500 });
    await settled();
    mock.timers.tick(2000);
    await settled();
  }
  assert.equal(room.detached.target.value.state, "failed");
  assert.equal(room.detached.shown.value, room.history);
});

test("a new epoch voids what was never saved, and a run of nothing else is asked for again", async () => {
  await opens100();
  socket.latest.disconnects();
  socket.latest.joins(messages(111, 112), { epoch: 2, base: 110 });
  await settled();
  assert.deepEqual(seqs(room.detached.shown.value).slice(0, 35), range(76, 110));
  socket.latest.disconnects();
  socket.latest.joins(messages(61, 70), { epoch: 3, base: 60 });
  await settled();
  assert.deepEqual(asked().at(-1), { around: 100 });
});

test("a live run that starts over leaves the run apart alone", async () => {
  await opens100();
  socket.latest.disconnects();
  socket.latest.joins(messages(8991, 9000), { recovered: false });
  await settled();
  assert.deepEqual(seqs(room.detached.shown.value), range(76, 125));
  assert.deepEqual(seqs(room.history), range(8991, 9000));
  assert.equal(room.recovery.missingAfter.value, 3000);
});

test("a restored database may lack the run: it is asked for again", async () => {
  await opens100();
  socket.latest.disconnects();
  socket.latest.joins(messages(8991, 9000), { recovered: false, epoch: 2 });
  await settled();
  assert.deepEqual(asked().at(-1), { around: 100 });
});

test("a run that becomes too long lets its oldest half go", async () => {
  await joins(30_000);
  room.showMessage(100);
  await answer(76, 125);
  room.detached.loadNewer();
  await answer(126, 100 + MAX_HELD);
  const { value: run } = room.detached.run;
  assert.equal(run.messages.value.length, MAX_HELD / 2);
  assert.equal(run.hasMore.value, true);
  assert.equal(run.last, 100 + MAX_HELD);
});

test("the nearest of two messages is the older one", () => {
  const held = [message(3), message(5), message(9)];
  assert.deepEqual(
    [1, 4, 5, 7, 8, 12].map((seq) => nearest(held, seq)),
    [3, 3, 5, 5, 9, 9],
  );
  assert.equal(nearest([], 7), 0);
});
