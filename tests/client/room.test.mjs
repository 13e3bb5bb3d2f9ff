import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../web/client/room.js";
import { FakeSocket, message, messages, settled } from "./fakes.mjs";

let socket;
let room;
let name;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  name = "ann";
  socket = new FakeSocket();
  room = new Room(socket, "lobby", () => name);
  room.enter();
});

const seqs = () => room.history.said.value.map((each) => each.seq);
const states = () => room.posts.pending.value.map((post) => post.status);
const lastPost = () => socket.latest.sent("new_message").at(-1);
const heardOwn = (seq, id = lastPost().payload.id) => socket.latest.hears("new_message", message(seq, { id, name: "ann" }));

function rejoin(held) {
  socket.latest.breaks();
  socket.latest.welcomes(held);
}

test("a join tells the topic and the name, and brings the newest messages and the people", () => {
  assert.equal(socket.latest.topic, "chat_room:lobby");
  assert.deepEqual(socket.latest.params(), { name: "ann" });
  socket.latest.welcomes(messages(1, 3), { bo: { metas: [{ phx_ref: "1" }] }, ann: { metas: [{ phx_ref: "2" }, { phx_ref: "3" }] } });
  mock.timers.tick(100);
  assert.equal(room.state.value, "joined");
  assert.equal(room.welcomed.value, true);
  assert.deepEqual(seqs(), [1, 2, 3]);
  assert.deepEqual(room.people.value, [{ name: "ann", connections: 2 }, { name: "bo", connections: 1 }]);
});

test("a refused join says why", () => {
  socket.latest.joinPush.answer("error", { reason: "unauthorized" });
  assert.equal(room.state.value, "refused");
  assert.equal(room.refusal.value, "you are not allowed here");
});

test("a post is pending at once, stands in its place when heard, and is said when acknowledged", () => {
  socket.latest.welcomes([]);
  room.say("hello");
  assert.deepEqual(states(), ["pending"]);
  heardOwn(1);
  assert.deepEqual(seqs(), [1]);
  assert.equal(room.posts.pending.value[0].heard, true);
  lastPost().answer("ok", { id: lastPost().payload.id, seq: 1, inserted_at: "2026-11-24T03:06:22.123456Z" });
  assert.deepEqual(states(), []);
});

test("an acknowledgement before the broadcast says it too, once", () => {
  socket.latest.welcomes([]);
  room.say("hello");
  lastPost().answer("ok", { id: lastPost().payload.id, seq: 1, inserted_at: "2026-11-24T03:06:22.123456Z" });
  heardOwn(1);
  assert.deepEqual(seqs(), [1]);
  assert.deepEqual(states(), []);
});

test("a refused post is not sent, and a retry keeps its id", () => {
  socket.latest.welcomes([]);
  room.say("hello");
  const { id } = lastPost().payload;
  lastPost().answer("error", { reason: "overloaded", retry_after_ms: 100 });
  assert.equal(room.posts.pending.value[0].why, "the server is busy");
  assert.deepEqual(states(), ["failed"]);
  room.posts.retry(id);
  assert.deepEqual(states(), ["pending"]);
  assert.equal(lastPost().payload.id, id);
  assert.equal(socket.latest.sent("new_message").length, 2);
});

test("a post without an answer is not sent after ten seconds, but a late answer counts", () => {
  socket.latest.welcomes([]);
  room.say("hello");
  mock.timers.tick(10_000);
  assert.deepEqual(states(), ["failed"]);
  lastPost().answer("ok", { id: lastPost().payload.id, seq: 1, inserted_at: "2026-11-24T03:06:22.123456Z" });
  assert.deepEqual(states(), []);
  assert.deepEqual(seqs(), [1]);
});

test("the patience of a first try does not end a retry", () => {
  socket.latest.welcomes([]);
  room.say("hello");
  mock.timers.tick(6000);
  lastPost().answer("error", { reason: "overloaded" });
  room.posts.retry(lastPost().payload.id);
  mock.timers.tick(6000);
  assert.deepEqual(states(), ["pending"]);
  mock.timers.tick(4000);
  assert.deepEqual(states(), ["failed"]);
});

test("what is written while away is sent with the next join, if that comes in time", () => {
  socket.latest.welcomes([]);
  socket.latest.breaks();
  room.say("hello");
  assert.equal(socket.latest.sent("new_message").length, 0);
  socket.latest.welcomes([]);
  assert.equal(lastPost().payload.message, "hello");
  assert.deepEqual(states(), ["pending"]);
});

test("a post whose answer was lost is said if the rejoin brings it, and not sent if it does not", () => {
  socket.latest.welcomes([]);
  room.say("kept");
  const { id } = lastPost().payload;
  room.say("lost");
  rejoin([message(1, { id, name: "ann" })]);
  assert.deepEqual(room.posts.pending.value.map((post) => [post.message, post.status]), [["lost", "failed"]]);
});

test("a post heard but never saved is not sent after the rejoin", () => {
  socket.latest.welcomes(messages(1, 2));
  room.say("ghost");
  heardOwn(3);
  rejoin(messages(1, 2));
  assert.deepEqual(seqs(), [1, 2]);
  assert.deepEqual(states(), ["failed"]);
});

test("a gap after a rejoin is paged back until it is closed", async () => {
  socket.latest.welcomes(messages(1, 10));
  rejoin(messages(141, 150));
  const first = socket.latest.sent("history").at(-1);
  assert.deepEqual(first.payload, { before: 141, limit: 100 });
  first.answer("ok", { messages: messages(41, 140), more: true });
  await settled();
  const second = socket.latest.sent("history").at(-1);
  assert.deepEqual(second.payload, { before: 41, limit: 30 });
  second.answer("ok", { messages: messages(11, 40), more: true });
  await settled();
  assert.deepEqual(seqs(), messages(1, 150).map((each) => each.seq));
});

test("a lost post is judged only when the gap is closed", async () => {
  socket.latest.welcomes(messages(1, 10));
  room.say("in the gap");
  const { id } = lastPost().payload;
  rejoin(messages(21, 30));
  assert.deepEqual(states(), ["pending"]);
  const page = messages(11, 20);
  page[3] = message(14, { id, name: "ann" });
  socket.latest.sent("history").at(-1).answer("ok", { messages: page, more: true });
  await settled();
  assert.deepEqual(states(), []);
});

test("a wide gap is not filled: the page starts over from the newest", async () => {
  socket.latest.welcomes(messages(1, 10));
  rejoin(messages(991, 1000));
  await settled();
  assert.deepEqual(seqs(), messages(991, 1000).map((each) => each.seq));
  assert.equal(room.history.more.value, true);
});

test("a jump of seq while joined is filled, and what comes meanwhile is kept", async () => {
  socket.latest.welcomes(messages(1, 3));
  socket.latest.hears("new_message", message(6));
  socket.latest.hears("new_message", message(7));
  socket.latest.sent("history").at(-1).answer("ok", { messages: messages(4, 5), more: true });
  await settled();
  assert.deepEqual(seqs(), [1, 2, 3, 4, 5, 6, 7]);
});

test("a gap that cannot be filled does not hold up the conversation", async () => {
  socket.latest.welcomes(messages(1, 3));
  socket.latest.hears("new_message", message(6));
  for (let vain = 0; vain < 3; vain += 1) {
    socket.latest.sent("history").at(-1).answer("error", { reason: "unavailable" });
    await settled();
    mock.timers.tick(2000);
    await settled();
  }
  assert.deepEqual(seqs(), [6]);
});

test("older messages are loaded once at a time, and a lost connection does not block the next try", async () => {
  socket.latest.welcomes(messages(91, 100));
  room.loadOlder();
  assert.deepEqual(socket.latest.sent("history").map((push) => push.payload), [{ before: 91, limit: 50 }]);
  socket.latest.breaks();
  await settled();
  assert.equal(room.loadingOlder.value, false);
  socket.latest.welcomes(messages(91, 100));
  room.loadOlder();
  socket.latest.sent("history").at(-1).answer("ok", { messages: messages(41, 90), more: true });
  await settled();
  assert.equal(room.history.first, 41);
});

test("another name takes a new channel, and the old one is no longer heard", () => {
  socket.latest.welcomes(messages(1, 2));
  const old = socket.latest;
  name = "anna";
  room.leave();
  room.enter();
  assert.equal(old.left, true);
  assert.deepEqual(socket.latest.params(), { name: "anna" });
  old.hears("typing", { name: "bo" });
  assert.deepEqual(room.typing.names.value, []);
});

test("who types is shown for four seconds or until they speak, and never oneself", () => {
  socket.latest.welcomes([]);
  ["bo", "ann", "cy"].forEach((typist) => socket.latest.hears("typing", { name: typist }));
  assert.deepEqual(room.typing.names.value, ["bo", "cy"]);
  socket.latest.hears("new_message", message(1));
  assert.deepEqual(room.typing.names.value, ["cy"]);
  mock.timers.tick(4000);
  assert.deepEqual(room.typing.names.value, []);
});

test("typing is told at most every two seconds, and at once again after a message", () => {
  mock.timers.tick(5000);
  socket.latest.welcomes([]);
  const told = () => socket.latest.sent("typing").length;
  room.isTyping();
  room.isTyping();
  assert.equal(told(), 1);
  mock.timers.tick(2000);
  room.isTyping();
  assert.equal(told(), 2);
  room.say("done");
  room.isTyping();
  assert.equal(told(), 3);
});

test("a channel that the server closed is entered again", () => {
  socket.latest.welcomes([]);
  socket.latest.hears("phx_close");
  mock.timers.tick(4000);
  assert.equal(socket.channels.length, 2);
});
