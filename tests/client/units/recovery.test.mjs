import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket, message, messages, recovered, settled } from "./fakes.mjs";

let socket;
let room;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  socket = new FakeSocket();
  room = new Room(socket, "lobby", () => "ann", new FakeOutbox());
  room.join("ann");
});

const seqs = () => room.history.messages.value.map((each) => each.seq);
const requests = (event) => socket.latest.sent(event).map((push) => push.payload);
const receive = (...said) => said.forEach((each) => socket.latest.receives("new_message", each));

async function reply(event, status, response) {
  socket.latest.sent(event).at(-1).reply(status, response);
  await settled();
}

/** Answers a sync, delivers what follows it, and answers the request that marks its end. */
async function synced(said, changes) {
  socket.latest
    .sent("sync")
    .at(-1)
    .reply("ok", recovered(said.at(-1)?.seq ?? 0, changes));
  receive(...said);
  await settled();
  await reply("history", "ok", { messages: [], more: false });
}

async function rejoin(said, changes) {
  socket.latest.disconnects();
  socket.latest.joins(said, changes);
  await settled();
}

test("a rejoin carries the position: the last seq and its epoch", () => {
  socket.latest.joins(messages(1, 3), { epoch: 7 });
  receive(message(4), message(6));
  assert.deepEqual(socket.latest.params(), { name: "ann", since: 4, epoch: 7, resync: true });
});

test("missed messages are added, and known ones are not added twice", async () => {
  socket.latest.joins(messages(1, 3));
  await rejoin(messages(3, 6));
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(requests("sync"), []);
  assert.equal(room.recovery.missingAfter.value, 0);
});

test("messages above the base are dropped when the epoch has changed, and only then", async () => {
  socket.latest.joins(messages(1, 5));
  await rejoin([], { seq: 5, base: 3 });
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5]);
  await rejoin([message(4, { id: "another" })], { epoch: 2, base: 3 });
  assert.deepEqual(
    room.history.messages.value.map((each) => each.id),
    ["m1", "m2", "m3", "another"],
  );
  assert.equal(socket.latest.params().epoch, 2);
});

test("a position that the server cannot use makes the page start over and report missing messages", async () => {
  socket.latest.joins(messages(1, 5));
  await rejoin(messages(9001, 9010), { recovered: false });
  assert.deepEqual(
    seqs(),
    messages(9001, 9010).map((each) => each.seq),
  );
  assert.equal(room.history.hasMore.value, true);
  assert.equal(room.recovery.missingAfter.value, 5);
});

test("messages that were not recovered are no longer missing once older pages reach them", async () => {
  socket.latest.joins(messages(1, 5));
  await rejoin(messages(21, 23), { recovered: false });
  for (const [from, to, missing] of [
    [11, 20, 5],
    [6, 10, 0],
  ]) {
    room.loadOlder();
    await reply("history", "ok", { messages: messages(from, to), more: true });
    assert.equal(room.recovery.missingAfter.value, missing);
  }
});

test("a long absence is recovered page by page, and new messages wait meanwhile", async () => {
  socket.latest.joins(messages(1, 3));
  await rejoin(messages(4, 6), { seq: 12, more: true });
  assert.deepEqual(requests("history"), [{ after: 6 }]);
  receive(message(13));
  await reply("history", "ok", { messages: messages(7, 9), more: true });
  assert.deepEqual(requests("history").at(-1), { after: 9 });
  assert.deepEqual(seqs().at(-1), 9);
  await reply("history", "ok", { messages: messages(10, 12), more: false });
  assert.deepEqual(
    seqs(),
    messages(1, 13).map((each) => each.seq),
  );
  assert.deepEqual(requests("sync"), []);
});

test("a gap while joined sends one sync, and messages that come meanwhile are kept", async () => {
  socket.latest.joins(messages(1, 3));
  receive(message(6), message(7));
  assert.deepEqual(requests("sync"), [{ since: 3, epoch: 1 }]);
  await synced(messages(4, 7));
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6, 7]);
  receive(message(9));
  assert.deepEqual(requests("sync").at(-1), { since: 7, epoch: 1 });
});

test("a refused request is sent again after the server's delay", async () => {
  socket.latest.joins(messages(1, 3));
  receive(message(6));
  for (let failures = 0; failures < 5; failures += 1) {
    await reply("sync", "error", { reason: "rate_limited", retry_after_ms: 700 });
    mock.timers.tick(699);
    await settled();
    assert.equal(requests("sync").length, failures + 1);
    mock.timers.tick(1001);
    await settled();
    assert.equal(requests("sync").length, failures + 2);
  }
  await synced(messages(4, 6));
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
});

test("a request without an answer is sent again", async () => {
  socket.latest.joins(messages(1, 3));
  receive(message(6));
  await reply("sync", "timeout");
  mock.timers.tick(4000);
  await settled();
  assert.equal(requests("sync").length, 2);
});

test("a gap that cannot be filled is skipped", async () => {
  socket.latest.joins(messages(1, 3));
  receive(message(6));
  for (let failures = 0; failures < 3; failures += 1) {
    await reply("sync", "error", { reason: "unavailable" });
    mock.timers.tick(4000);
    await settled();
  }
  assert.deepEqual(seqs(), [6]);
  assert.equal(room.recovery.missingAfter.value, 3);
});

test("a connection lost during a request leaves the rest to the next join", async () => {
  socket.latest.joins(messages(1, 3));
  receive(message(6));
  socket.latest.disconnects();
  await settled();
  socket.latest.joins(messages(4, 6));
  await settled();
  mock.timers.tick(20_000);
  await settled();
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
  assert.equal(requests("sync").length, 1);
});

test("a resync sends a sync, even while another is open", async () => {
  socket.latest.joins(messages(1, 3));
  receive(message(6));
  socket.latest.receives("resync", { seq: 9 });
  await settled();
  assert.deepEqual(requests("sync"), [
    { since: 3, epoch: 1 },
    { since: 3, epoch: 1 },
  ]);
  await synced(messages(4, 9));
  assert.deepEqual(
    seqs(),
    messages(1, 9).map((each) => each.seq),
  );
  socket.latest.receives("resync", { seq: 9 });
  assert.deepEqual(requests("sync").at(-1), { since: 9, epoch: 1 });
});

test("void places fill gaps and are not shown, and a message can become void", async () => {
  socket.latest.joins(messages(1, 3));
  await rejoin([message(4, { void: true, name: "", message: "" }), message(5)]);
  assert.deepEqual(seqs(), [1, 2, 3, 5]);
  socket.latest.receives("message_voided", { seq: 2 });
  assert.deepEqual(seqs(), [1, 3, 5]);
  assert.equal(socket.latest.params().since, 5);
  assert.deepEqual(requests("sync"), []);
});

test("a check fetches what was lost on its way, where no gap tells of it", async () => {
  socket.latest.joins(messages(1, 3), { epoch: 7 });
  const checked = room.check();
  assert.deepEqual(requests("sync"), [{ since: 3, epoch: 7 }]);
  await reply("sync", "ok", recovered(5, { epoch: 7 }));
  receive(...messages(4, 5));
  await checked;
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5]);
});

test("a check finds a room's first message too", async () => {
  socket.latest.joins([], { epoch: 7 });
  room.check();
  assert.deepEqual(requests("sync"), [{ since: 0, epoch: 7 }]);
  await reply("sync", "ok", recovered(1, { epoch: 7 }));
  receive(message(1));
  assert.deepEqual(seqs(), [1]);
});

test("a check that is refused or lost changes nothing", async () => {
  socket.latest.joins(messages(1, 3));
  room.check();
  await reply("sync", "error", { reason: "unavailable" });
  room.check();
  socket.latest.disconnects();
  await settled();
  assert.deepEqual(seqs(), [1, 2, 3]);
  assert.equal(socket.channels.length, 1);
});

test("a check joins again where the server knows of no join", async () => {
  socket.latest.joins(messages(1, 3));
  room.check();
  await reply("sync", "error", { reason: "unmatched topic" });
  assert.equal(socket.channels.length, 2);
});

test("a check does not ask while what is missing is being fetched", async () => {
  socket.latest.joins(messages(1, 3));
  receive(message(5));
  room.check();
  assert.equal(requests("sync").length, 1);
});
