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
  room = new Room(socket, "lobby", () => "ann", new FakeOutbox(), new FakeOutbox());
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

/** Reads a page, as that of the pinned messages, and answers it. */
async function readPage(asOf, ...rows) {
  room.readPinned();
  await reply("history", "ok", { messages: rows, as_of: asOf, more: false });
}

test("a rejoin carries the position: the last seq and its epoch", () => {
  socket.latest.joins(messages(1, 3), { epoch: 7 });
  receive(message(4), message(6));
  assert.deepEqual(socket.latest.params(), { name: "ann", since: 4, epoch: 7, resync: true, log: 2 });
});

test("missed messages are added, and known ones are not added twice", async () => {
  socket.latest.joins(messages(1, 3));
  await rejoin(messages(3, 6));
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(requests("sync"), []);
  assert.equal(room.recovery.missingAfter.value, 0);
});

test("a page has caught up once all has come that was said before the join, also what follows in pages", async () => {
  socket.latest.joins(messages(1, 3));
  await settled();
  assert.equal(room.recovery.hasCaughtUp.value, true);
  await rejoin([], { seq: 6, more: true });
  receive(message(7));
  assert.equal(room.recovery.hasCaughtUp.value, false);
  await reply("history", "ok", { messages: messages(4, 6), as_of: 6, more: false });
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(room.recovery.hasCaughtUp.value, true);
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

test("a long absence is recovered by what was changed, and new entries wait until all of it is read", async () => {
  socket.latest.joins(messages(1, 3));
  await rejoin([], { seq: 812, more: true });
  assert.deepEqual(requests("history"), [{ after: 3 }]);
  receive(message(813), message(814));
  const edited = message(2, { message: "mended", edits: 1, changed: 7 });
  await reply("history", "ok", { messages: [message(4), edited], as_of: 812, more: true, next: 7 });
  assert.deepEqual(requests("history").at(-1), { after: 7 });
  assert.equal(socket.latest.params().since, 3);
  const late = message(6, { changed: 700 });
  await reply("history", "ok", { messages: [message(9), late], as_of: 813, more: false });
  assert.deepEqual(seqs(), [1, 2, 3, 4, 6, 9, 814]);
  assert.equal(room.history.messages.value[1].message, "mended");
  assert.equal(socket.latest.params().since, 814);
  assert.deepEqual(requests("sync"), []);
});

test("a long absence whose reading is cut short begins again at the same place", async () => {
  socket.latest.joins(messages(1, 3));
  await rejoin([], { seq: 812, more: true });
  await reply("history", "ok", { messages: [message(4), message(5)], as_of: 812, more: true, next: 5 });
  assert.deepEqual(seqs(), [1, 2, 3]);
  await rejoin([], { seq: 812, more: true });
  assert.deepEqual(requests("history").at(-1), { after: 3 });
  await reply("history", "ok", { messages: [message(4), message(5)], as_of: 812, more: false });
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5]);
});

test("what was said during a long absence and is not in the database yet is asked for", async () => {
  socket.latest.joins(messages(1, 3));
  await rejoin([], { seq: 812, more: true });
  await reply("history", "ok", { messages: [message(4)], as_of: 810, more: false });
  assert.deepEqual(requests("sync"), [{ since: 810, epoch: 1 }]);
  await synced([message(811), message(812)]);
  assert.deepEqual(seqs(), [1, 2, 3, 4, 811, 812]);
});

test("messages that an entry has touched in a lost epoch are read again", async () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.receives("room_event", { seq: 4, kind: "edit", target: 2, message: "never saved", edits: 1 });
  await rejoin([], { epoch: 2, seq: 3, base: 3 });
  assert.deepEqual(requests("history").at(-1), { seqs: [2] });
  await reply("history", "ok", { messages: [message(2)], as_of: 3, more: false });
  assert.equal(room.history.messages.value[1].message, "word 2");
  assert.deepEqual(room.rows.stale, []);
});

test("a message is read again when what touched it becomes void", async () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.receives("room_event", { seq: 4, kind: "edit", target: 2, message: "refused", edits: 1 });
  socket.latest.receives("message_voided", { seq: 4 });
  await settled();
  assert.deepEqual(requests("history").at(-1), { seqs: [2] });
  await reply("history", "ok", { messages: [message(2)], as_of: 4, more: false });
  assert.equal(room.history.messages.value[1].message, "word 2");
});

test("what is void already is no matter when a join tells of it again, nor when a sync does", async () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.receives("room_event", { seq: 4, kind: "edit", target: 2, message: "refused", edits: 1 });
  socket.latest.receives("message_voided", { seq: 4 });
  await settled();
  await reply("history", "ok", { messages: [message(2)], as_of: 4, more: false });
  await rejoin([], { seq: 4, base: 4 });
  socket.latest.receives("message_voided", { seq: 4 });
  assert.deepEqual(room.rows.stale, []);
  await readPage(5, { ...message(2), changed: 5, edits: 1 });
  socket.latest.receives("message_voided", { seq: 4 });
  assert.deepEqual(room.rows.stale, []);
});

test("what a node shows that is void is read again once it tells of that, whatever another node has told", async () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.receives("room_event", { seq: 4, kind: "edit", target: 2, message: "refused", edits: 1 });
  socket.latest.receives("message_voided", { seq: 4 });
  await rejoin([], { seq: 4, base: 4 });
  assert.deepEqual(requests("history").at(-1), { seqs: [2] });
  const shown = message(2, { message: "refused", changed: 4, edits: 1 });
  await reply("history", "ok", { messages: [shown], as_of: 4, more: false });
  assert.equal(room.history.messages.value[1].message, "refused");
  socket.latest.receives("message_voided", { seq: 4 });
  await settled();
  assert.deepEqual(requests("history").at(-1), { seqs: [2] });
  await reply("history", "ok", { messages: [message(2)], as_of: 4, more: false });
  assert.equal(room.history.messages.value[1].message, "word 2");
  assert.deepEqual(room.rows.stale, []);
});

test("a void message goes again that a page of another node has brought", async () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.receives("message_voided", { seq: 2 });
  assert.deepEqual(seqs(), [1, 3]);
  await rejoin([], { seq: 3, base: 3 });
  await readPage(3, message(2, { pinned_at: "now" }));
  assert.deepEqual([...room.rows.pinned], [2]);
  socket.latest.receives("message_voided", { seq: 2 });
  assert.deepEqual([...room.rows.pinned], []);
});

test("an entry that another node says once more after it is void becomes void again", async () => {
  const edit = { seq: 5, kind: "edit", target: 2, message: "refused", edits: 1 };
  socket.latest.joins(messages(1, 3));
  socket.latest.receives("message_voided", { seq: 5 }); // while 4 is missing
  await rejoin([], { seq: 3, base: 3 });
  receive(message(4));
  socket.latest.receives("room_event", edit);
  assert.equal(room.history.messages.value[1].message, "refused");
  socket.latest.receives("message_voided", { seq: 5 });
  await settled();
  assert.deepEqual(requests("history").at(-1), { seqs: [2] });
});

test("an entry that another node says ahead of a gap after it is void goes when that node tells of it", async () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.receives("message_voided", { seq: 5 });
  await rejoin([], { seq: 3, base: 3 });
  socket.latest.receives("room_event", { seq: 5, kind: "edit", target: 2, message: "refused", edits: 1 });
  socket.latest.receives("message_voided", { seq: 5 });
  receive(message(4));
  assert.equal(room.history.messages.value[1].message, "word 2");
});

test("an entry that fills a gap counts, whatever its kind", async () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.receives("room_event", { seq: 4, kind: "of tomorrow" });
  receive(message(5));
  assert.deepEqual(seqs(), [1, 2, 3, 5]);
  assert.deepEqual(requests("sync"), []);
});

test("a page older than what was heard is asked for again until it is not", async () => {
  socket.latest.joins(messages(91, 100));
  room.loadOlder();
  await reply("history", "ok", { messages: [message(90)], as_of: 99, more: true });
  assert.deepEqual(requests("history").at(-1), { seqs: [90] });
  await reply("history", "ok", { messages: [message(90)], as_of: 99, more: false });
  const before = requests("history").length;
  mock.timers.tick(4000);
  await settled();
  assert.equal(requests("history").length, before + 1);
  await reply("history", "ok", {
    messages: [message(90, { message: "mended", changed: 98 })],
    as_of: 100,
    more: false,
  });
  assert.deepEqual([seqs()[0], room.history.messages.value[0].message], [90, "mended"]);
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
