import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket, message, messages, settled } from "./fakes.mjs";

const AT = "2026-11-24T03:06:22.123456Z";

let socket;
let room;
let outbox;
let operationsOutbox;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.parse(AT) });
  socket = new FakeSocket();
  outbox = new FakeOutbox();
  operationsOutbox = new FakeOutbox();
  room = open();
});

function open() {
  const opened = new Room(socket, "lobby", () => "ann", outbox, operationsOutbox);
  opened.join("ann");
  return opened;
}

const row = (seq) => room.history.messages.value.find((each) => each.seq === seq);
const sent = (event) => socket.latest.sent(event).map((push) => push.payload);
const last = (event) => socket.latest.sent(event).at(-1);
const receive = (seq, kind, target, fields = {}) =>
  socket.latest.receives("room_event", { seq, kind, target, id: `e${seq}`, at: AT, by: { name: "ann" }, ...fields });
const pending = () => room.operations.pending.value.map(({ kind, status }) => [kind, status]);

/** Says a message on this connection. */
function say(text, seq) {
  room.post(text);
  const { id } = last("new_message").payload;
  socket.latest.receives("new_message", message(seq, { id, name: "ann", message: text }));
  last("new_message").reply("ok", { id, seq, inserted_at: AT });
}

test("an edit is shown at once, sent, and done when its entry was heard", () => {
  socket.latest.joins(messages(1, 3));
  room.edit(row(2), "mended");
  assert.deepEqual([row(2).message, row(2).edits, row(2).operations[0].status], ["mended", 1, "pending"]);
  const { id, ...payload } = sent("edit_message")[0];
  assert.deepEqual(payload, { seq: 2, message: "mended" });
  assert.notEqual(id, "");
  last("edit_message").reply("ok", { id, seq: 4, inserted_at: AT });
  assert.deepEqual([row(2).message, operationsOutbox.kept.size], ["mended", 0]);
  receive(4, "edit", 2, { message: "mended", edits: 1 });
  assert.deepEqual([row(2).message, row(2).edits, row(2).operations], ["mended", 1, undefined]);
});

test("a reaction meanwhile is no conflict for an edit, and another text is one", () => {
  socket.latest.joins(messages(1, 3));
  const began = { if_changed: 2, before: "word 2" };
  receive(4, "react", 2, { key: "👍", add: ["bo"], reactions: { "👍": { count: 1, names: ["bo"] } } });
  room.edit(row(2), "mended", began);
  assert.equal(sent("edit_message")[0].if_changed, 4);
  receive(5, "pin", 2);
  last("edit_message").reply("error", { reason: "conflict", changed: 5 });
  assert.deepEqual(
    sent("edit_message").map(({ if_changed }) => if_changed),
    [4, 5],
  );
  receive(6, "edit", 2, { message: "by another", edits: 1 });
  last("edit_message").reply("error", { reason: "conflict", changed: 6 });
  assert.equal(sent("edit_message").length, 2);
  assert.deepEqual(pending(), [["edit", "failed"]]);
});

test("an edit to the same text is none", () => {
  socket.latest.joins(messages(1, 3));
  room.edit(row(2), "word 2");
  assert.deepEqual(pending(), []);
});

for (const [reason, kind] of [
  ["forbidden", "edit"],
  ["too_late", "edit"],
  ["conflict", "edit"],
  ["gone", "edit"],
  ["not_found", "edit"],
  ["forbidden", "delete"],
  ["too_late", "delete"],
]) {
  test(`a refusal of ${kind} as ${reason} shows the message as it was, with words, and is final`, () => {
    socket.latest.joins(messages(1, 3));
    if (kind === "edit") room.edit(row(2), "mended");
    else room.remove(row(2));
    last(`${kind}_message`).reply("error", { reason });
    const [operation] = row(2).operations;
    assert.deepEqual([row(2).message, row(2).deleted_at, operation.status], ["word 2", undefined, "failed"]);
    assert.match(operation.why, / /);
    assert.equal(operationsOutbox.kept.size, 0);
    mock.timers.tick(60_000);
    socket.latest.disconnects();
    socket.latest.joins([]);
    assert.equal(sent(`${kind}_message`).length, 1);
    room.operations.discard(operation.id);
    assert.equal(row(2).operations, undefined);
  });
}

test("an edit in conflict keeps its words, and a retry has its way", () => {
  socket.latest.joins(messages(1, 3));
  room.edit(row(2), "mended", { if_changed: 2 });
  assert.equal(sent("edit_message")[0].if_changed, 2);
  last("edit_message").reply("error", { reason: "conflict", changed: 9 });
  const [{ id, message: words }] = row(2).operations;
  assert.equal(words, "mended");
  room.operations.retry(id);
  const { id: next, ...payload } = sent("edit_message")[1];
  assert.deepEqual(payload, { seq: 2, message: "mended" });
  assert.notEqual(next, sent("edit_message")[0].id);
});

test("the next operation on a message takes the word of a refusal away", () => {
  socket.latest.joins(messages(1, 3));
  room.pin(row(2));
  last("pin").reply("error", { reason: "full", limit: 50 });
  room.react(row(2), "👍");
  assert.deepEqual(
    row(2).operations.map(({ kind }) => kind),
    ["react"],
  );
});

test("a deletion is shown at once, and one that somebody else has made is as wanted", () => {
  socket.latest.joins([message(1, { reactions: { "👍": { count: 1, names: ["bo"] } }, pinned_at: AT })]);
  room.remove(row(1));
  assert.deepEqual([row(1).message, row(1).deleted_by, row(1).reactions], ["", "ann", undefined]);
  assert.equal(row(1).pinned_at, undefined);
  last("delete_message").reply("error", { reason: "gone" });
  assert.deepEqual(pending(), []);
});

test("reactions are counted at once, own ones are marked, and ❤️ is ❤", () => {
  socket.latest.joins([message(1, { reactions: { "👍": { count: 2, names: ["ann", "bo"] } } })]);
  assert.deepEqual(row(1).mine, ["👍"]);
  room.react(row(1), "❤️");
  room.toggleReaction(row(1), "👍");
  assert.deepEqual(row(1).reactions, {
    "👍": { count: 1, names: ["bo"] },
    "❤": { count: 1, names: ["ann"] },
  });
  assert.deepEqual(row(1).mine, ["❤"]);
  assert.deepEqual(sent("react"), [{ seq: 1, name: "ann", key: "❤" }]);
  last("react").reply("ok", { id: "r", seq: 2 });
  assert.deepEqual(sent("unreact"), [{ seq: 1, name: "ann", key: "👍" }]);
  receive(2, "react", 1, { key: "❤", add: ["ann"], count: 1, names: ["ann"] });
  last("unreact").reply("error", { reason: "forbidden" });
  assert.deepEqual(row(1).reactions["👍"], { count: 2, names: ["ann", "bo"] });
  assert.deepEqual(row(1).mine, ["👍", "❤"]);
});

test("an own reaction is known also where the server names others", () => {
  const names = Array.from({ length: 10 }, (_, index) => `p${index}`);
  socket.latest.joins([message(1, { reactions: { "👍": { count: 11, names } } })]);
  assert.equal(row(1).mine, undefined);
  receive(2, "react", 1, { key: "👍", add: ["ann"], count: 12, names });
  assert.deepEqual(row(1).mine, ["👍"]);
  receive(3, "react", 1, { key: "👍", remove: ["ann"], count: 11, names });
  assert.equal(row(1).mine, undefined);
});

test("what was not sent yet gives way to what follows it", () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.disconnects();
  room.react(row(1), "👍");
  room.unreact(row(1), "👍");
  room.pin(row(2));
  room.pin(row(2));
  room.edit(row(3), "one");
  room.edit(row(3), "two");
  assert.deepEqual(pending(), [
    ["pin", "waiting"],
    ["edit", "waiting"],
  ]);
  room.remove(row(3));
  assert.deepEqual(pending(), [
    ["pin", "waiting"],
    ["delete", "waiting"],
  ]);
});

test("what is done while disconnected goes out with the next join, one after the other for each message", () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.disconnects();
  room.edit(row(1), "one");
  room.pin(row(1));
  room.react(row(2), "👍");
  mock.timers.tick(86_400_000);
  assert.deepEqual(sent("edit_message"), []);
  socket.latest.joins([]);
  assert.deepEqual([sent("edit_message").length, sent("pin").length, sent("react").length], [1, 0, 1]);
  assert.equal("repeat" in sent("edit_message")[0], false);
  last("edit_message").reply("ok", { id: "e", seq: 4, inserted_at: AT });
  assert.equal(sent("pin").length, 1);
});

test("after a lost connection what was not answered is repeated under its id", () => {
  socket.latest.joins(messages(1, 3));
  room.edit(row(1), "one");
  room.pin(row(2));
  room.react(row(3), "👍");
  socket.latest.disconnects();
  assert.equal(row(1).message, "one");
  socket.latest.joins([]);
  for (const event of ["edit_message", "pin"]) {
    const [first, second] = sent(event);
    assert.deepEqual(second, { ...first, repeat: true });
  }
  assert.deepEqual(sent("react")[1], sent("react")[0]);
});

for (const refusal of [
  { reason: "overloaded", retry_after_ms: 3000 },
  { reason: "rate_limited", retry_after_ms: 3000 },
  { reason: "busy", retry_after_ms: 3000 },
  { reason: "unavailable" },
]) {
  test(`an operation refused as ${refusal.reason} is sent again after a while`, () => {
    socket.latest.joins(messages(1, 3));
    room.edit(row(1), "one");
    last("edit_message").reply("error", refusal);
    assert.deepEqual([row(1).message, pending()], ["one", [["edit", "waiting"]]]);
    room.pin(row(2));
    mock.timers.tick(1999);
    assert.deepEqual([sent("edit_message").length, sent("pin").length], [1, 0]);
    mock.timers.tick(6000);
    const [first, second] = sent("edit_message");
    assert.deepEqual([second, sent("pin").length], [first, 1]);
  });
}

test("the operations that one page could not send are sent by the next", () => {
  socket.latest.joins(messages(1, 3));
  socket.latest.disconnects();
  room.edit(row(1), "one");
  room.react(row(2), "👍");
  room = open();
  room.operations.adopt(operationsOutbox.adopt());
  socket.latest.joins(messages(1, 3));
  assert.equal(row(1).message, "one");
  assert.equal(sent("edit_message")[0].repeat, true);
  assert.equal(sent("react").length, 1);
});

test("a post that was not sent is changed or given up itself", () => {
  room.post("hello");
  const [post] = room.posts.pending.value;
  room.edit(post, "hullo");
  assert.equal(outbox.kept.get(post.id).message, "hullo");
  room.post("unwanted");
  room.remove(room.posts.pending.value[1]);
  socket.latest.joins([]);
  assert.deepEqual(
    sent("new_message").map((each) => each.message),
    ["hullo"],
  );
  assert.deepEqual(pending(), []);
});

test("what is done to a post on its way waits for its place", () => {
  socket.latest.joins([]);
  room.post("hello");
  const [post] = room.posts.pending.value;
  room.edit(post, "hullo");
  assert.deepEqual([room.unheard.value[0].message, sent("edit_message")], ["hullo", []]);
  socket.latest.receives("new_message", message(1, { id: post.id, name: "ann", message: "hello" }));
  assert.equal(row(1).message, "hullo");
  assert.deepEqual([sent("edit_message")[0].seq, sent("edit_message")[0].message], [1, "hullo"]);
});

test("what is done to a post that is refused is done to the post", () => {
  socket.latest.joins([]);
  ["hello", "unwanted"].forEach((text) => room.post(text));
  const [first, second] = room.posts.pending.value;
  room.edit(first, "hullo");
  room.remove(second);
  assert.deepEqual(
    room.unheard.value.map((post) => post.message),
    ["hullo"],
  );
  socket.latest.sent("new_message").forEach((push) => push.reply("error", { reason: "not_saved" }));
  assert.deepEqual(
    room.posts.pending.value.map((post) => [post.message, post.status]),
    [["hullo", "failed"]],
  );
  assert.deepEqual(pending(), []);
});

test("one may change and delete what one has said on this connection, for an hour", () => {
  socket.latest.joins([message(1, { name: "ann", inserted_at: AT })]);
  say("mine", 2);
  const may = (seq) => [room.mayEdit(row(seq)), room.mayDelete(row(seq))];
  assert.deepEqual(
    [may(1), may(2)],
    [
      [false, false],
      [true, true],
    ],
  );
  mock.timers.tick(3_600_000);
  assert.deepEqual(may(2), [false, false]);
  say("later", 3);
  receive(4, "delete", 3);
  assert.deepEqual(may(3), [false, false]);
});

test("one may change and delete what was heard and is not acknowledged yet", () => {
  socket.latest.joins([]);
  room.post("mine");
  const [{ id }] = room.posts.pending.value;
  socket.latest.receives("new_message", message(1, { name: "ann", id }));
  assert.deepEqual([room.mayEdit(row(1)), room.mayDelete(row(1))], [true, true]);
});

test("another connection is somebody else, and another join is not", () => {
  socket.latest.joins([]);
  say("mine", 1);
  room.leave();
  room.join("ann");
  socket.latest.joins([row(1)]);
  assert.equal(room.mayEdit(row(1)), true);
  socket.latest.disconnects(); // the room crashed
  assert.equal(room.mayEdit(row(1)), true);
  socket.closes();
  assert.equal(room.mayEdit(row(1)), false);
  room.post("not sent");
  assert.equal(room.mayEdit(room.posts.pending.value[0]), true);
});

test("a reply names the message that it answers, also when it is sent again", () => {
  socket.latest.joins(messages(1, 3));
  room.reply(row(2));
  assert.equal(room.replyTarget.value, 2);
  room.post("yes");
  assert.equal(room.replyTarget.value, 0);
  assert.equal(room.posts.pending.value[0].reply_to, 2);
  socket.latest.disconnects();
  socket.latest.joins([]);
  assert.deepEqual(
    sent("new_message").map(({ reply_to, repeat }) => [reply_to, repeat]),
    [
      [2, undefined],
      [2, true],
    ],
  );
  room.post("no reply");
  assert.equal(room.posts.pending.value[1].reply_to, undefined);
});

test("a reply is counted on its root, and its own root comes from the server", () => {
  socket.latest.joins(messages(1, 3));
  const reply = message(4, { reply_to: 2, root: 2, root_replies: 1 });
  socket.latest.receives("new_message", reply);
  assert.deepEqual([row(2).replies, row(2).last_reply_seq, row(2).changed], [1, 4, 4]);
});

test("the quote of a message that is not held is read once, and follows its changes", async () => {
  socket.latest.joins(messages(91, 93));
  assert.equal(room.quoteOf(92).message, "word 92");
  assert.deepEqual([room.quoteOf(5), room.quoteOf(6), room.quoteOf(5)], [undefined, undefined, undefined]);
  await settled();
  assert.deepEqual(sent("history").at(-1), { seqs: [5, 6] });
  last("history").reply("ok", { messages: [message(5)], as_of: 93, more: false });
  await settled();
  assert.deepEqual([room.quoteOf(5).message, room.quoteOf(6)], ["word 5", null]);
  receive(94, "delete", 5);
  assert.equal(room.quoteOf(5).deleted_at, AT);
  assert.equal(sent("history").filter(({ seqs }) => seqs).length, 1);
});

test("a thread has its root, the latest replies, earlier ones on demand, and new ones by themselves", async () => {
  socket.latest.joins(messages(91, 93));
  const reply = (seq) => message(seq, { root: 5, reply_to: 5, root_replies: 9 });
  const thread = room.readThread(5);
  assert.deepEqual(sent("history").at(-1), { root: 5 });
  last("history").reply("ok", { messages: [reply(70), reply(80)], as_of: 93, more: true });
  await settled();
  assert.deepEqual(sent("history").at(-1), { seqs: [5] });
  last("history").reply("ok", { messages: [message(5, { replies: 9 })], as_of: 93, more: false });
  await settled();
  const seqs = () => thread.rows.value.map(({ seq }) => seq);
  assert.deepEqual([seqs(), thread.hasMore.value], [[5, 70, 80], true]);
  socket.latest.receives("new_message", reply(94));
  assert.deepEqual(seqs(), [5, 70, 80, 94]);
  thread.loadMore();
  assert.deepEqual(sent("history").at(-1), { root: 5, before: 70 });
  last("history").reply("ok", { messages: [message(5), reply(60)], as_of: 94, more: false });
  await settled();
  assert.deepEqual([seqs(), thread.hasMore.value, thread.why.value], [[5, 60, 70, 80, 94], false, ""]);
});

test("pins are read on demand, and follow what is pinned, also of what is not held", async () => {
  socket.latest.joins(messages(91, 93));
  const pins = room.readPinned();
  assert.deepEqual(sent("history").at(-1), { pinned: true });
  last("history").reply("ok", { messages: [message(5, { pinned_at: AT, changed: 50 })], as_of: 93, more: false });
  await settled();
  const seqs = () => pins.rows.value.map(({ seq }) => seq);
  receive(94, "pin", 92, { at: "2026-11-25T00:00:00.000000Z" });
  assert.deepEqual(seqs(), [92, 5]);
  receive(95, "pin", 7);
  await settled();
  assert.deepEqual(sent("history").at(-1), { seqs: [7] });
  last("history").reply("ok", { messages: [message(7, { pinned_at: AT, changed: 95 })], as_of: 95, more: false });
  await settled();
  receive(96, "unpin", 5);
  assert.deepEqual(seqs(), [92, 7]);
});

test("what is pinned while the pins are read is among them", async () => {
  socket.latest.joins(messages(91, 93));
  const pins = room.readPinned();
  const reading = last("history");
  receive(94, "pin", 7);
  reading.reply("ok", { messages: [message(5, { pinned_at: AT, changed: 50 })], as_of: 93, more: false });
  await settled();
  assert.deepEqual(sent("history").at(-1), { seqs: [7] });
  last("history").reply("ok", { messages: [message(7, { pinned_at: AT, changed: 94 })], as_of: 94, more: false });
  await settled();
  assert.deepEqual(
    pins.rows.value.map(({ seq }) => seq),
    [7, 5],
  );
});

test("pins that are too much for one page are read in several", async () => {
  socket.latest.joins(messages(91, 93));
  const pins = room.readPinned();
  const page = (seq, more) => ({ messages: [message(seq, { pinned_at: AT, changed: 50 })], as_of: 93, more });
  last("history").reply("ok", page(5, true));
  await settled();
  assert.deepEqual(sent("history").at(-1), { pinned: true, before: 5 });
  last("history").reply("ok", page(4, false));
  await settled();
  assert.deepEqual([pins.rows.value.map(({ seq }) => seq), pins.isLoading.value], [[5, 4], false]);
});

test("a thread and the pins are read again by a page that starts over", async () => {
  socket.latest.joins(messages(91, 93));
  room.readPinned();
  last("history").reply("ok", { messages: [], as_of: 93, more: false });
  await settled();
  room.readThread(5);
  last("history").reply("ok", { messages: [message(5)], as_of: 93, more: false });
  await settled();
  socket.latest.disconnects();
  const before = sent("history").length;
  socket.latest.joins(messages(9001, 9003), { recovered: false });
  const asked = sent("history").slice(before);
  assert.ok(asked.some(({ root }) => root === 5) && asked.some(({ pinned }) => pinned));
});
