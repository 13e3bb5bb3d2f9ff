import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeSocket, message, messages, recovered, settled } from "./fakes.mjs";

let socket;
let room;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  socket = new FakeSocket();
  room = new Room(socket, "lobby", () => "ann");
  room.join();
});

const seqs = () => room.history.messages.value.map((each) => each.seq);
const asked = (event) => socket.latest.sent(event).map((push) => push.payload);
const hears = (...said) => said.forEach((each) => socket.latest.hears("new_message", each));

async function answer(event, status, response) {
  socket.latest.sent(event).at(-1).answer(status, response);
  await settled();
}

/** The answer to a sync, what follows it, and the answer that tells that all of it is in. */
async function synced(said, changes) {
  socket.latest
    .sent("sync")
    .at(-1)
    .answer("ok", recovered(said.at(-1)?.seq ?? 0, changes));
  hears(...said);
  await settled();
  await answer("history", "ok", { messages: [], more: false });
}

async function rejoin(said, changes) {
  socket.latest.breaks();
  socket.latest.welcomes(said, changes);
  await settled();
}

test("a rejoin says how far the room was heard, and when", () => {
  socket.latest.welcomes(messages(1, 3), { epoch: 7 });
  hears(message(4), message(6));
  assert.deepEqual(socket.latest.params(), { name: "ann", since: 4, epoch: 7, resync: true });
});

test("what was missed is heard, and what is known already is not heard twice", async () => {
  socket.latest.welcomes(messages(1, 3));
  await rejoin(messages(3, 6));
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(asked("sync"), []);
  assert.equal(room.recovery.missingAfter.value, 0);
});

test("what was heard and never saved is dropped when the epoch has changed, and only then", async () => {
  socket.latest.welcomes(messages(1, 5));
  await rejoin([], { seq: 5, base: 3 });
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5]);
  await rejoin([message(4, { id: "another" })], { epoch: 2, base: 3 });
  assert.deepEqual(
    room.history.messages.value.map((each) => each.id),
    ["m1", "m2", "m3", "another"],
  );
  assert.equal(socket.latest.params().epoch, 2);
});

test("a position that the server cannot use makes the page start over, and say so", async () => {
  socket.latest.welcomes(messages(1, 5));
  await rejoin(messages(9001, 9010), { recovered: false });
  assert.deepEqual(
    seqs(),
    messages(9001, 9010).map((each) => each.seq),
  );
  assert.equal(room.history.hasMore.value, true);
  assert.equal(room.recovery.missingAfter.value, 5);
});

test("what could not be recovered is no longer missing when the person has read back to it", async () => {
  socket.latest.welcomes(messages(1, 5));
  await rejoin(messages(21, 23), { recovered: false });
  for (const [from, to, missing] of [
    [11, 20, 5],
    [6, 10, 0],
  ]) {
    room.loadOlder();
    await answer("history", "ok", { messages: messages(from, to), more: true });
    assert.equal(room.recovery.missingAfter.value, missing);
  }
});

test("a long absence is made up for page by page, and what comes meanwhile waits", async () => {
  socket.latest.welcomes(messages(1, 3));
  await rejoin(messages(4, 6), { seq: 12, more: true });
  assert.deepEqual(asked("history"), [{ after: 6 }]);
  hears(message(13));
  await answer("history", "ok", { messages: messages(7, 9), more: true });
  assert.deepEqual(asked("history").at(-1), { after: 9 });
  assert.deepEqual(seqs().at(-1), 9);
  await answer("history", "ok", { messages: messages(10, 12), more: false });
  assert.deepEqual(
    seqs(),
    messages(1, 13).map((each) => each.seq),
  );
  assert.deepEqual(asked("sync"), []);
});

test("a jump of seq while joined is asked for once, and what comes meanwhile is kept", async () => {
  socket.latest.welcomes(messages(1, 3));
  hears(message(6), message(7));
  assert.deepEqual(asked("sync"), [{ since: 3, epoch: 1 }]);
  await synced(messages(4, 7));
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6, 7]);
  hears(message(9));
  assert.deepEqual(asked("sync").at(-1), { since: 7, epoch: 1 });
});

test("a refused question is asked again when the server says", async () => {
  socket.latest.welcomes(messages(1, 3));
  hears(message(6));
  for (let failures = 0; failures < 5; failures += 1) {
    await answer("sync", "error", { reason: "rate_limited", retry_after_ms: 700 });
    mock.timers.tick(699);
    await settled();
    assert.equal(asked("sync").length, failures + 1);
    mock.timers.tick(1001);
    await settled();
    assert.equal(asked("sync").length, failures + 2);
  }
  await synced(messages(4, 6));
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
});

test("a question without an answer is asked again", async () => {
  socket.latest.welcomes(messages(1, 3));
  hears(message(6));
  await answer("sync", "timeout");
  mock.timers.tick(4000);
  await settled();
  assert.equal(asked("sync").length, 2);
});

test("a gap that cannot be filled does not hold up the conversation", async () => {
  socket.latest.welcomes(messages(1, 3));
  hears(message(6));
  for (let failures = 0; failures < 3; failures += 1) {
    await answer("sync", "error", { reason: "unavailable" });
    mock.timers.tick(4000);
    await settled();
  }
  assert.deepEqual(seqs(), [6]);
  assert.equal(room.recovery.missingAfter.value, 3);
});

test("a connection lost amid a question leaves the rest to the next join", async () => {
  socket.latest.welcomes(messages(1, 3));
  hears(message(6));
  socket.latest.breaks();
  await settled();
  socket.latest.welcomes(messages(4, 6));
  await settled();
  mock.timers.tick(20_000);
  await settled();
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
  assert.equal(asked("sync").length, 1);
});

test("a page that read too slowly asks for what was dropped, whatever it was asking", async () => {
  socket.latest.welcomes(messages(1, 3));
  hears(message(6));
  socket.latest.hears("resync", { seq: 9 });
  await settled();
  assert.deepEqual(asked("sync"), [
    { since: 3, epoch: 1 },
    { since: 3, epoch: 1 },
  ]);
  await synced(messages(4, 9));
  assert.deepEqual(
    seqs(),
    messages(1, 9).map((each) => each.seq),
  );
  socket.latest.hears("resync", { seq: 9 });
  assert.deepEqual(asked("sync").at(-1), { since: 9, epoch: 1 });
});

test("void places fill gaps and are not shown, and a message can become one", async () => {
  socket.latest.welcomes(messages(1, 3));
  await rejoin([message(4, { void: true, name: "", message: "" }), message(5)]);
  assert.deepEqual(seqs(), [1, 2, 3, 5]);
  socket.latest.hears("message_voided", { seq: 2 });
  assert.deepEqual(seqs(), [1, 3, 5]);
  assert.equal(socket.latest.params().since, 5);
  assert.deepEqual(asked("sync"), []);
});
