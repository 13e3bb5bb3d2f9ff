import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket, message, messages, settled } from "./fakes.mjs";

let socket;
let room;
let name;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  name = "ann";
  socket = new FakeSocket();
  room = new Room(socket, "lobby", () => name, new FakeOutbox(), new FakeOutbox());
  room.join(name);
});

const seqs = () => room.history.messages.value.map((each) => each.seq);

test("a join carries the topic and the name, and brings the newest messages and the people", () => {
  assert.equal(socket.latest.topic, "chat_room:lobby");
  assert.deepEqual(socket.latest.params(), { name: "ann", resync: true, log: 2 });
  socket.latest.joins(messages(1, 3), {
    people: { bo: { metas: [{ phx_ref: "1" }] }, ann: { metas: [{ phx_ref: "2" }, { phx_ref: "3" }] } },
  });
  mock.timers.tick(100);
  assert.equal(room.state.value, "joined");
  assert.equal(room.hasLoaded.value, true);
  assert.deepEqual(seqs(), [1, 2, 3]);
  assert.deepEqual(room.people.listed.value, [
    { name: "ann", connections: 2 },
    { name: "bo", connections: 1 },
  ]);
});

test("a refused join says why", () => {
  socket.latest.joinPush.reply("error", { reason: "unauthorized" });
  assert.equal(room.state.value, "refused");
  assert.equal(room.refusal.value, "you are not allowed here");
});

test("older messages are requested once at a time, and a lost connection does not block the next try", async () => {
  socket.latest.joins(messages(91, 100));
  room.loadOlder();
  assert.deepEqual(
    socket.latest.sent("history").map((push) => push.payload),
    [{ before: 91 }],
  );
  socket.latest.disconnects();
  await settled();
  assert.equal(room.loadingOlder.value, false);
  socket.latest.joins(messages(91, 100));
  room.loadOlder();
  socket.latest
    .sent("history")
    .at(-1)
    .reply("ok", { messages: messages(41, 90), more: true });
  await settled();
  assert.equal(room.history.first, 41);
});

test("a new name takes a new channel, and events of the old one are ignored", () => {
  socket.latest.joins(messages(1, 2));
  const old = socket.latest;
  name = "anna";
  room.join(name);
  assert.equal(old.left, true);
  assert.deepEqual(socket.latest.params(), { name: "anna", since: 2, epoch: 1, resync: true, log: 2 });
  old.receives("typing", { name: "bo" });
  assert.deepEqual(room.typing.names.value, []);
});

test("others are shown as typing for four seconds or until they post, and never oneself", () => {
  socket.latest.joins([]);
  ["bo", "ann", "cy"].forEach((typist) => socket.latest.receives("typing", { name: typist }));
  assert.deepEqual(room.typing.names.value, ["bo", "cy"]);
  socket.latest.receives("new_message", message(1));
  assert.deepEqual(room.typing.names.value, ["cy"]);
  mock.timers.tick(4000);
  assert.deepEqual(room.typing.names.value, []);
});

test("who cannot write any more is not shown as typing", () => {
  const entry = (seq, more) => socket.latest.receives("room_event", { seq, id: `e${seq}`, at: "", ...more });
  socket.latest.joins([]);
  ["bo", "cy", "di"].forEach((typist) => socket.latest.receives("typing", { name: typist }));
  entry(1, { kind: "member", change: "banned", members: [{ id: 2, handle: "bo", name: "bo" }] });
  assert.deepEqual(room.typing.names.value, ["cy", "di"]);
  entry(2, { kind: "member", change: "muted", members: [{ id: 3, handle: "cy", name: "cy" }] });
  entry(3, { kind: "member", change: "role", members: [{ id: 4, handle: "di", name: "di" }] });
  assert.deepEqual(room.typing.names.value, ["di"]);
  entry(4, { kind: "room", set: { archived: true } });
  assert.deepEqual(room.typing.names.value, []);
});

test("typing is sent at most every two seconds, and at once again after a message", () => {
  mock.timers.tick(5000);
  socket.latest.joins([]);
  const sent = () => socket.latest.sent("typing").length;
  room.notifyTyping();
  room.notifyTyping();
  assert.equal(sent(), 1);
  mock.timers.tick(2000);
  room.notifyTyping();
  assert.equal(sent(), 2);
  room.post("done");
  room.notifyTyping();
  assert.equal(sent(), 3);
});

test("a join that is refused for a while is not shown as a refusal", () => {
  socket.latest.joinPush.reply("error", { reason: "rate_limited", retry_after_ms: 500 });
  assert.equal(room.state.value, "joining");
});

test("a channel that the server closed is joined again", () => {
  socket.latest.joins([]);
  socket.latest.receives("phx_close");
  mock.timers.tick(4000);
  assert.equal(socket.channels.length, 2);
});

test("`@here` calls a member on whose page it is said, and not who comes later or comes back", () => {
  const here = (seq) => message(seq, { mentions: { here: true } });
  const view = { kind: "private", role: "member", settings: {} };
  const called = () => room.history.messages.value.filter((row) => row.called_here).map(({ seq }) => seq);
  socket.latest.joins([here(1)], { room: view });
  socket.latest.receives("new_message", here(2));
  assert.deepEqual(called(), [2]);
  socket.latest.disconnects();
  socket.latest.joins([here(3)], { room: view });
  socket.latest.receives("new_message", here(4));
  assert.deepEqual(called(), [2, 4]);
});

test("`@here` calls nobody who only reads the room", () => {
  socket.latest.joins([message(1)], { room: { kind: "public", role: null, settings: {} } });
  socket.latest.receives("new_message", message(2, { mentions: { here: true } }));
  assert.equal(room.history.messages.value.at(-1).called_here, undefined);
});
