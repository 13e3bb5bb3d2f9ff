import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { labelOf, readBy, sameAuthor } from "../../../web/client/authors.js";
import { fold } from "../../../web/client/room/fold.js";
import { Room } from "../../../web/client/room/room.js";
import { suggestedName } from "../../../web/client/me.js";
import { FakeOutbox, FakeSocket, message } from "./fakes.mjs";

const ANN = { id: 7, handle: "ann" };
const NOW = "2026-11-24T03:06:22.123456Z";
let socket;
let outbox;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.parse(NOW) });
  socket = new FakeSocket();
  outbox = new FakeOutbox();
  suggestedName.value = "";
});

/** Opens a room for somebody. */
function open(name, author = undefined) {
  const room = new Room(
    socket,
    "tea",
    () => name,
    outbox,
    new FakeOutbox(),
    () => author,
  );
  room.join(name);
  return room;
}

test("an account is known by its id, and a guest by the name", () => {
  assert.equal(sameAuthor({ name: "Ann", author: ANN }, { name: "Anna", author: { ...ANN, handle: "anna" } }), true);
  assert.equal(sameAuthor({ name: "Ann", author: ANN }, { name: "Ann", author: { id: 8, handle: "ann2" } }), false);
  assert.equal(sameAuthor({ name: "Ann", author: ANN }, { name: "Ann" }), false);
  assert.equal(sameAuthor({ name: "Ann" }, { name: "Ann" }), true);
});

test("lists of names have handles, and the names of guests and of deleted accounts", () => {
  assert.equal(labelOf({ name: "Ann", author: ANN }), "@ann");
  assert.equal(labelOf({ name: "Ann", author: { id: 7, handle: "" } }), "Ann");
  assert.equal(labelOf({ name: "Ann" }), "Ann");
  assert.equal(labelOf(readBy({ name: "Ann", ...ANN })), "@ann");
  assert.deepEqual(readBy({ name: "bo" }), { name: "bo" });
});

test("who deleted or pinned a message is named by a label", () => {
  const by = { name: "Ann", ...ANN };
  assert.equal(fold(message(1), { seq: 2, target: 1, kind: "delete", at: NOW, by }).deleted_by, "@ann");
  assert.equal(fold(message(1), { seq: 2, target: 1, kind: "pin", at: NOW, by: { name: "bo" } }).pinned_by, "bo");
});

test("an account may change what it has said at another device, and a guest may not", () => {
  const said = message(1, { name: "Ann", author: ANN });
  assert.equal(open("Ann", ANN).mayEdit(said), true);
  assert.equal(open("Ann", ANN).mayDelete(said), true);
  assert.equal(open("Ann", ANN).mayEdit({ ...said, author: { id: 8, handle: "x" } }), false);
  assert.equal(open("Ann").mayEdit(message(1, { name: "Ann" })), false);
});

test("an account's reaction is its own under its handle", () => {
  const room = open("Ann", ANN);
  const reacted = (...names) => message(1, { reactions: { "👍": { count: names.length, names } } });
  socket.latest.joins([reacted("Ann", "@ann")]);
  assert.deepEqual(room.rows.shown(1).mine, ["👍"]);
  const guests = open("Ann", { id: 8, handle: "other" });
  socket.latest.joins([reacted("Ann", "@ann")]);
  assert.equal(guests.rows.shown(1).mine, undefined);
});

test("an account's post is its own before it is heard", () => {
  const room = open("Ann", ANN);
  socket.latest.joins([]);
  room.post("hello");
  assert.deepEqual(room.unheard.value[0].author, ANN);
  const [post] = socket.latest.sent("new_message");
  post.reply("ok", { id: post.payload.id, seq: 1, inserted_at: NOW });
  assert.deepEqual(room.history.messages.value[0].author, ANN);
});

test("one's own typing at another device is not shown, a namesake's is", () => {
  const room = open("Ann", ANN);
  socket.latest.joins([]);
  socket.latest.receives("typing", { name: "Ann", author: ANN });
  assert.deepEqual(room.typing.names.value, []);
  socket.latest.receives("typing", { name: "Ann" });
  assert.deepEqual(room.typing.names.value, ["Ann"]);
});

test("in slow mode what one has said at another device counts, from when it was said", () => {
  const settings = { slow_mode: 30 };
  const view = { kind: "public", title: "Tea", topic: "", settings, archived: false, role: "member", members: 2 };
  const room = open("Ann", ANN);
  const left = () => room.charter.slowUntil.value - Date.now();
  mock.timers.tick(10_000);
  socket.latest.joins([message(1, { inserted_at: NOW, author: ANN })], { room: view });
  assert.ok(left() > 19_000 && left() <= 20_000);
  socket.latest.receives("new_message", message(2, { inserted_at: new Date().toISOString(), author: { id: 8 } }));
  assert.ok(left() <= 20_000);
  socket.latest.receives("new_message", message(3, { inserted_at: "2027-01-01T00:00:00.000000Z", author: ANN }));
  assert.equal(left(), 30_000);
});

test("who owns a room never waits in its slow mode", () => {
  const settings = { slow_mode: 30 };
  const view = { kind: "public", title: "Tea", topic: "", settings, archived: false, role: "owner", members: 2 };
  const room = open("Ann", ANN);
  socket.latest.joins([message(1, { inserted_at: NOW, author: ANN })], { room: view });
  assert.equal(room.charter.slowUntil.value, 0);
});

test("people with accounts are present by their handles, under their names", () => {
  const room = open("bo");
  socket.latest.joins([], {
    people: { "@ann": { metas: [{ phx_ref: "a", id: 7, name: "Ann" }] }, bo: { metas: [{ phx_ref: "b" }] } },
  });
  mock.timers.tick(100);
  assert.deepEqual(room.people.listed.value, [
    { name: "Ann", author: ANN, connections: 1 },
    { name: "bo", connections: 1 },
  ]);
});

test("a guest whose name is taken is asked once, and what was written waits for another name", () => {
  let name = "ann";
  const room = new Room(socket, "tea", () => name, outbox, new FakeOutbox());
  room.join(name);
  socket.latest.joins([]);
  room.post("hello");
  socket.latest.sent("new_message")[0].reply("error", { reason: "name_taken", suggestion: "ann (guest)" });
  assert.equal(suggestedName.value, "ann (guest)");
  assert.equal(room.unheard.value[0].status, "waiting");
  name = suggestedName.value;
  room.join(name);
  socket.latest.joins([]);
  const [post] = socket.latest.sent("new_message");
  assert.deepEqual([post.payload.name, post.payload.message, post.payload.repeat], ["ann (guest)", "hello", undefined]);
});

test("a join that is refused for its name says which name there is", () => {
  const room = open("ann");
  socket.latest.joinPush.reply("error", { reason: "name_taken", suggestion: "ann (guest)" });
  assert.equal(suggestedName.value, "ann (guest)");
  assert.deepEqual([room.state.value, room.refused.value.reason], ["refused", "name_taken"]);
  socket.latest.joins([]);
  assert.equal(room.refused.value, null);
});
