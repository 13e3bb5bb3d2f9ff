import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket, message, messages } from "./fakes.mjs";

let socket;
let room;
let outbox;
let name;

beforeEach(() => {
  name = "ann";
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  socket = new FakeSocket();
  outbox = new FakeOutbox();
  room = open();
});

function open() {
  const opened = new Room(socket, "lobby", () => name, outbox, new FakeOutbox());
  opened.join(name);
  return opened;
}

/** Opens a page after this one is gone. */
function openNext() {
  room = open();
  room.posts.adopt(outbox.adopt());
}

const seqs = () => room.history.messages.value.map((each) => each.seq);
const posts = () => room.posts.pending.value;
const states = () => posts().map((post) => post.status);
const sent = () => socket.latest.sent("new_message");
const lastPost = () => sent().at(-1);
const words = () => sent().map((push) => push.payload.message);
const repeats = () => sent().map((push) => push.payload.repeat ?? false);
const broadcastOwn = (seq, id = lastPost().payload.id) =>
  socket.latest.receives("new_message", message(seq, { id, name: "ann" }));
const acknowledge = (push, seq) =>
  push.reply("ok", { id: push.payload.id, seq, inserted_at: "2026-11-24T03:06:22.123456Z" });

test("a post is pending at once, gets its place with the broadcast, and is done when acknowledged", () => {
  socket.latest.joins([]);
  room.post("hello");
  assert.deepEqual(states(), ["pending"]);
  broadcastOwn(1);
  assert.deepEqual(seqs(), [1]);
  assert.equal(posts()[0].heard, true);
  acknowledge(lastPost(), 1);
  assert.deepEqual(states(), []);
});

test("an acknowledgement before the broadcast adds the message, once", () => {
  socket.latest.joins([]);
  room.post("hello");
  acknowledge(lastPost(), 1);
  broadcastOwn(1);
  assert.deepEqual(seqs(), [1]);
  assert.deepEqual(states(), []);
});

for (const reason of ["invalid", "id_taken", "not_saved", "quarantined", "unauthorized"]) {
  test(`a post refused as ${reason} fails and is not sent again by itself; a retry is a new post`, () => {
    socket.latest.joins([]);
    room.post("hello");
    lastPost().reply("error", { reason });
    assert.deepEqual(states(), ["failed"]);
    assert.notEqual(posts()[0].why, "");
    mock.timers.tick(60_000);
    socket.latest.disconnects();
    socket.latest.joins([]);
    assert.equal(sent().length, 1);
    room.posts.retry(posts()[0].id);
    assert.deepEqual(states(), ["pending"]);
    assert.notEqual(lastPost().payload.id, sent()[0].payload.id);
    assert.deepEqual(repeats(), [false, false]);
    assert.deepEqual([...outbox.kept.keys()], [posts()[0].id]);
  });
}

test("a post takes the person's name when it is sent, and keeps it as long as it may have been heard", () => {
  room.post("hello");
  name = "anna";
  socket.latest.joins([]);
  name = "annabel";
  socket.latest.disconnects();
  socket.latest.joins([]);
  assert.deepEqual(
    sent().map((push) => push.payload.name),
    ["anna", "anna"],
  );
});

test("a post that was refused is sent under another name by a retry", () => {
  socket.latest.joins([]);
  room.post("hello");
  lastPost().reply("error", { reason: "invalid", field: "name" });
  name = "anna";
  room.posts.retry(posts()[0].id);
  assert.equal(lastPost().payload.name, "anna");
});

test("a post that may have been heard before it was refused is the same post in a retry", () => {
  socket.latest.joins([]);
  room.post("hello");
  socket.latest.disconnects();
  socket.latest.joins([]);
  lastPost().reply("error", { reason: "unauthorized" });
  name = "anna";
  room.posts.retry(posts()[0].id);
  const [first, , third] = sent().map((push) => push.payload);
  assert.deepEqual(third, { ...first, repeat: true });
});

test("a post that was broadcast and can never be saved is shown as failed", () => {
  socket.latest.joins([]);
  room.post("hello");
  broadcastOwn(1);
  socket.latest.receives("message_voided", { seq: 1 });
  lastPost().reply("error", { reason: "not_saved" });
  assert.deepEqual(seqs(), []);
  assert.deepEqual(
    posts().map((post) => [post.status, post.heard]),
    [["failed", false]],
  );
});

test("a post without an answer fails after ten seconds, but a late answer counts", () => {
  socket.latest.joins([]);
  room.post("hello");
  mock.timers.tick(10_000);
  assert.deepEqual(states(), ["failed"]);
  acknowledge(lastPost(), 1);
  assert.deepEqual(states(), []);
  assert.deepEqual(seqs(), [1]);
});

test("the timeout of a first try does not end a retry", () => {
  socket.latest.joins([]);
  room.post("hello");
  mock.timers.tick(6000);
  lastPost().reply("error", { reason: "not_saved" });
  room.posts.retry(posts()[0].id);
  mock.timers.tick(6000);
  assert.deepEqual(states(), ["pending"]);
  mock.timers.tick(4000);
  assert.deepEqual(states(), ["failed"]);
});

test("posts written while disconnected wait for the next join and go out in order", () => {
  socket.latest.joins([]);
  socket.latest.disconnects();
  room.post("one");
  room.post("two");
  mock.timers.tick(86_400_000);
  assert.deepEqual(states(), ["waiting", "waiting"]);
  assert.deepEqual(words(), []);
  socket.latest.joins([]);
  assert.deepEqual(words(), ["one"]);
  broadcastOwn(1);
  assert.deepEqual(words(), ["one", "two"]);
  assert.deepEqual(repeats(), [false, false]);
});

test("after a lost connection unacknowledged posts are repeated, and discarded ones are not", () => {
  socket.latest.joins([]);
  ["kept", "lost", "unwanted"].forEach((text) => room.post(text));
  const [kept, , unwanted] = posts();
  broadcastOwn(1, kept.id);
  socket.latest.disconnects();
  room.posts.discard(unwanted.id);
  socket.latest.joins([]);
  assert.deepEqual(words().slice(3), ["kept", "lost"]);
  assert.deepEqual(repeats(), [false, false, false, true, true]);
  assert.deepEqual(
    posts().map((post) => post.heard),
    [true, false],
  );
});

test("a post that became void in a crash of the server is posted again", () => {
  socket.latest.joins(messages(1, 2));
  room.post("ghost");
  broadcastOwn(3);
  socket.latest.disconnects();
  socket.latest.joins([], { epoch: 2, seq: 2, base: 2 });
  assert.deepEqual(seqs(), [1, 2]);
  assert.deepEqual(
    [words(), repeats()],
    [
      ["ghost", "ghost"],
      [false, true],
    ],
  );
  broadcastOwn(3);
  assert.deepEqual(seqs(), [1, 2, 3]);
});

test("the posts that one page could not send are sent by the next, in order and as repeats", () => {
  room.post("one");
  room.post("two");
  openNext();
  assert.deepEqual(states(), ["waiting", "waiting"]);
  socket.latest.joins([]);
  broadcastOwn(1);
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

test("a failed post is still failed in the next page, and can be discarded there", () => {
  socket.latest.joins([]);
  room.post("hello");
  lastPost().reply("error", { reason: "quarantined" });
  openNext();
  socket.latest.joins([]);
  assert.deepEqual(states(), ["failed"]);
  assert.deepEqual(words(), []);
  room.posts.discard(posts()[0].id);
  assert.equal(outbox.kept.size, 0);
});

test("a post that the next page finds in the room is not shown twice", () => {
  socket.latest.joins([]);
  room.post("hello");
  const { id } = lastPost().payload;
  openNext();
  socket.latest.joins([message(1, { id, name: "ann" })]);
  assert.deepEqual(
    posts().map((post) => [post.status, post.heard]),
    [["pending", true]],
  );
});

for (const reason of ["overloaded", "rate_limited"]) {
  test(`a post refused as ${reason} is sent again after the server's delay, and before later posts`, () => {
    socket.latest.joins([]);
    room.post("one");
    const { id } = lastPost().payload;
    lastPost().reply("error", { reason, retry_after_ms: 3000 });
    room.post("two");
    mock.timers.tick(2999);
    assert.deepEqual([words(), states()], [["one"], ["waiting", "waiting"]]);
    mock.timers.tick(3001);
    assert.deepEqual(words(), ["one", "one"]);
    assert.equal(lastPost().payload.id, id);
    broadcastOwn(1);
    assert.deepEqual(words(), ["one", "one", "two"]);
    broadcastOwn(2);
    sent()
      .slice(1)
      .forEach((push, index) => acknowledge(push, index + 1));
    ["three", "four"].forEach((text) => room.post(text));
    assert.deepEqual(words().slice(3), ["three", "four"]);
  });
}

test("saving is behind from five seconds after a broadcast until the post is saved", () => {
  socket.latest.joins([]);
  room.post("hello");
  mock.timers.tick(6000);
  broadcastOwn(1);
  mock.timers.tick(4999);
  assert.equal(room.posts.savingIsBehind.value, false);
  mock.timers.tick(1);
  assert.equal(room.posts.savingIsBehind.value, true);
  assert.deepEqual(states(), ["pending"]);
  acknowledge(lastPost(), 1);
  assert.equal(room.posts.savingIsBehind.value, false);
});

test("a post without an answer for a minute is sent again", () => {
  socket.latest.joins([]);
  room.post("hello");
  broadcastOwn(1);
  lastPost().reply("timeout");
  assert.deepEqual([states(), repeats()], [["pending"], [false, true]]);
});

test("a resync sends unacknowledged posts again", () => {
  socket.latest.joins([]);
  room.post("hello");
  socket.latest.receives("resync", { seq: 1 });
  assert.deepEqual([states(), repeats()], [["pending"], [false, true]]);
});

test("what a ban keeps from being sent is not sent, and is the same post where it is retried after the ban", () => {
  socket.latest.joins([]);
  room.post("on its way");
  socket.latest.disconnects();
  room.post("begun later");
  socket.latest.joinPush.reply("error", { reason: "banned" });
  assert.deepEqual(states(), ["failed", "failed"]);
  assert.deepEqual(
    posts().map(({ tried, why }) => [tried, why]),
    [
      [true, "you are banned from this room"],
      [false, "you are banned from this room"],
    ],
  );
  const { id } = posts()[0];
  room.posts.retry(id);
  socket.latest.joins([]);
  assert.deepEqual([words(), repeats()], [["on its way"], [true]]);
  assert.equal(lastPost().payload.id, id);
  broadcastOwn(1);
  acknowledge(lastPost(), 1);
  assert.deepEqual(states(), ["failed"]);
});

test("what the next page finds after it was not let in for a ban is not sent either", () => {
  socket.latest.joins([]);
  room.post("hello");
  room = open();
  socket.latest.joinPush.reply("error", { reason: "banned" });
  room.posts.adopt(outbox.adopt());
  assert.deepEqual(states(), ["failed"]);
  assert.equal(posts()[0].tried, true);
});

test("a retry of what a ban kept from being sent asks again to be let in, and may be refused again", () => {
  socket.latest.joins([]);
  socket.latest.disconnects();
  room.post("hello");
  socket.latest.joinPush.reply("error", { reason: "banned" });
  const { length: before } = socket.channels;
  room.posts.retry(posts()[0].id);
  assert.equal(socket.channels.length, before + 1);
  assert.deepEqual(states(), ["waiting"]);
  socket.latest.joinPush.reply("error", { reason: "banned" });
  assert.deepEqual(states(), ["failed"]);
});

test("posts wait while a join is refused that may be granted to who signs in again", () => {
  socket.latest.joins([]);
  socket.latest.disconnects();
  room.post("hello");
  socket.latest.joinPush.reply("error", { reason: "unmatched topic" });
  assert.deepEqual(states(), ["waiting"]);
});
