import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket, message, messages, settled } from "./fakes.mjs";

let socket;
let room;
let outbox;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  socket = new FakeSocket();
  outbox = new FakeOutbox();
  room = open();
});

function open() {
  const opened = new Room(socket, "lobby", () => "ann", outbox);
  opened.join();
  return opened;
}

const seqs = () => room.history.messages.value.map((each) => each.seq);
const posts = () => room.posts.pending.value;
const states = () => posts().map((post) => post.status);
const sent = () => socket.latest.sent("new_message");
const lastPost = () => sent().at(-1);
const words = () => sent().map((push) => push.payload.message);
const repeats = () => sent().map((push) => push.payload.repeat ?? false);
const heardOwn = (seq, id = lastPost().payload.id) =>
  socket.latest.hears("new_message", message(seq, { id, name: "ann" }));
const acknowledge = (push, seq) =>
  push.answer("ok", { id: push.payload.id, seq, inserted_at: "2026-11-24T03:06:22.123456Z" });

test("a post is pending at once, stands in its place when heard, and is said when acknowledged", () => {
  socket.latest.welcomes([]);
  room.post("hello");
  assert.deepEqual(states(), ["pending"]);
  heardOwn(1);
  assert.deepEqual(seqs(), [1]);
  assert.equal(posts()[0].heard, true);
  acknowledge(lastPost(), 1);
  assert.deepEqual(states(), []);
});

test("an acknowledgement before the broadcast says it too, once", () => {
  socket.latest.welcomes([]);
  room.post("hello");
  acknowledge(lastPost(), 1);
  heardOwn(1);
  assert.deepEqual(seqs(), [1]);
  assert.deepEqual(states(), []);
});

for (const reason of ["invalid", "id_taken", "not_saved", "quarantined", "unauthorized"]) {
  test(`a post refused as ${reason} is not sent, nor again by itself; a retry keeps its id`, () => {
    socket.latest.welcomes([]);
    room.post("hello");
    lastPost().answer("error", { reason });
    assert.deepEqual(states(), ["failed"]);
    assert.notEqual(posts()[0].why, "");
    mock.timers.tick(60_000);
    socket.latest.breaks();
    socket.latest.welcomes([]);
    assert.equal(sent().length, 1);
    room.posts.retry(posts()[0].id);
    assert.deepEqual(states(), ["pending"]);
    assert.equal(lastPost().payload.id, sent()[0].payload.id);
    assert.deepEqual(repeats(), [false, true]);
  });
}

test("a post that was heard and can never be saved stands among the unsent", () => {
  socket.latest.welcomes([]);
  room.post("hello");
  heardOwn(1);
  socket.latest.hears("message_voided", { seq: 1 });
  lastPost().answer("error", { reason: "not_saved" });
  assert.deepEqual(seqs(), []);
  assert.deepEqual(
    posts().map((post) => [post.status, post.heard]),
    [["failed", false]],
  );
});

test("a post without an answer is not sent after ten seconds, but a late answer counts", () => {
  socket.latest.welcomes([]);
  room.post("hello");
  mock.timers.tick(10_000);
  assert.deepEqual(states(), ["failed"]);
  acknowledge(lastPost(), 1);
  assert.deepEqual(states(), []);
  assert.deepEqual(seqs(), [1]);
});

test("the patience of a first try does not end a retry", () => {
  socket.latest.welcomes([]);
  room.post("hello");
  mock.timers.tick(6000);
  lastPost().answer("error", { reason: "not_saved" });
  room.posts.retry(posts()[0].id);
  mock.timers.tick(6000);
  assert.deepEqual(states(), ["pending"]);
  mock.timers.tick(4000);
  assert.deepEqual(states(), ["failed"]);
});

test("what is written while away waits however long it takes, and goes out in order with the next join", () => {
  socket.latest.welcomes([]);
  socket.latest.breaks();
  room.post("one");
  room.post("two");
  mock.timers.tick(86_400_000);
  assert.deepEqual(states(), ["waiting", "waiting"]);
  assert.deepEqual(words(), []);
  socket.latest.welcomes([]);
  assert.deepEqual(words(), ["one"]);
  heardOwn(1);
  assert.deepEqual(words(), ["one", "two"]);
  assert.deepEqual(repeats(), [false, false]);
});

test("what was not acknowledged when the connection was lost is repeated, and what was discarded is not", () => {
  socket.latest.welcomes([]);
  ["kept", "lost", "unwanted"].forEach((text) => room.post(text));
  const [kept, , unwanted] = posts();
  heardOwn(1, kept.id);
  socket.latest.breaks();
  room.posts.discard(unwanted.id);
  socket.latest.welcomes([]);
  assert.deepEqual(words().slice(3), ["kept", "lost"]);
  assert.deepEqual(repeats(), [false, false, false, true, true]);
  assert.deepEqual(
    posts().map((post) => post.heard),
    [true, false],
  );
});

test("a post heard but void after a crash of the server is said again", () => {
  socket.latest.welcomes(messages(1, 2));
  room.post("ghost");
  heardOwn(3);
  socket.latest.breaks();
  socket.latest.welcomes([], { epoch: 2, seq: 2, base: 2 });
  assert.deepEqual(seqs(), [1, 2]);
  assert.deepEqual(
    [words(), repeats()],
    [
      ["ghost", "ghost"],
      [false, true],
    ],
  );
  heardOwn(3);
  assert.deepEqual(seqs(), [1, 2, 3]);
});

test("what one page could not send, the next one does, in order and as repeats", async () => {
  room.post("one");
  room.post("two");
  room = open();
  await settled();
  assert.deepEqual(states(), ["waiting", "waiting"]);
  socket.latest.welcomes([]);
  heardOwn(1);
  assert.deepEqual(
    [words(), repeats()],
    [
      ["one", "two"],
      [true, true],
    ],
  );
  sent().forEach((push, index) => acknowledge(push, index + 1));
  assert.equal(outbox.kept.size, 0);
});

test("what was refused is still not sent in the next page, and can be discarded there", async () => {
  socket.latest.welcomes([]);
  room.post("hello");
  lastPost().answer("error", { reason: "quarantined" });
  room = open();
  socket.latest.welcomes([]);
  await settled();
  assert.deepEqual(states(), ["failed"]);
  assert.deepEqual(words(), []);
  room.posts.discard(posts()[0].id);
  assert.equal(outbox.kept.size, 0);
});

test("one that the next page finds in the room is not shown twice", async () => {
  socket.latest.welcomes([]);
  room.post("hello");
  const { id } = lastPost().payload;
  room = open();
  socket.latest.welcomes([message(1, { id, name: "ann" })]);
  await settled();
  assert.deepEqual(
    posts().map((post) => [post.status, post.heard]),
    [["pending", true]],
  );
});

for (const reason of ["overloaded", "rate_limited"]) {
  test(`a post refused as ${reason} is sent again by itself when the server says, those after it behind it`, () => {
    socket.latest.welcomes([]);
    room.post("one");
    const { id } = lastPost().payload;
    lastPost().answer("error", { reason, retry_after_ms: 3000 });
    room.post("two");
    mock.timers.tick(2999);
    assert.deepEqual([words(), states()], [["one"], ["waiting", "waiting"]]);
    mock.timers.tick(3001);
    assert.deepEqual(words(), ["one", "one"]);
    assert.deepEqual([lastPost().payload.id, lastPost().payload.repeat], [id, true]);
    heardOwn(1);
    assert.deepEqual(words(), ["one", "one", "two"]);
    heardOwn(2);
    sent()
      .slice(1)
      .forEach((push, index) => acknowledge(push, index + 1));
    ["three", "four"].forEach((text) => room.post(text));
    assert.deepEqual(words().slice(3), ["three", "four"]);
  });
}

test("saving is behind when what was heard is not saved for five seconds, until it is", () => {
  socket.latest.welcomes([]);
  room.post("hello");
  mock.timers.tick(6000);
  heardOwn(1);
  mock.timers.tick(4999);
  assert.equal(room.posts.savingIsBehind.value, false);
  mock.timers.tick(1);
  assert.equal(room.posts.savingIsBehind.value, true);
  assert.deepEqual(states(), ["pending"]);
  acknowledge(lastPost(), 1);
  assert.equal(room.posts.savingIsBehind.value, false);
});

test("an answer that does not come in a minute is asked for again", () => {
  socket.latest.welcomes([]);
  room.post("hello");
  heardOwn(1);
  lastPost().answer("timeout");
  assert.deepEqual([states(), repeats()], [["pending"], [false, true]]);
});

test("answers dropped because the page read too slowly are asked for again", () => {
  socket.latest.welcomes([]);
  room.post("hello");
  socket.latest.hears("resync", { seq: 1 });
  assert.deepEqual([states(), repeats()], [["pending"], [false, true]]);
});
