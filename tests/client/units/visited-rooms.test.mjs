import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { slug } from "../../../web/client/browser/route.js";
import { name, rename } from "../../../web/client/me.js";
import { dismissRemoved, isRemoved, keepLeft } from "../../../web/client/memberships/removed.js";
import { Room } from "../../../web/client/room/room.js";
import { VisitedRooms } from "../../../web/client/visited-rooms.js";
import { FakeOutbox, FakeSocket, message } from "./fakes.mjs";

let socket;
let visited;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  socket = new FakeSocket();
  slug.value = "lobby";
  rename("ann");
  const outbox = new FakeOutbox();
  visited = new VisitedRooms(slug, name, (room) => new Room(socket, room, () => name.peek(), outbox, new FakeOutbox()));
});

const room = () => visited.current.peek();
const channelOf = (room) => socket.channels.findLast((channel) => channel.topic === `chat_room:${room}`);
const kept = (byRoom) => ({ adopt: async () => new Map(byRoom) });
const unsent = () => Object.fromEntries(visited.unsent.value);

test("the room on the screen is joined, and left for another", () => {
  assert.equal(channelOf("lobby").params().name, "ann");
  slug.value = "garden";
  assert.equal(channelOf("lobby").left, true);
  assert.equal(channelOf("garden").left, false);
  slug.value = "lobby";
  assert.equal(channelOf("lobby").left, false);
});

test("somebody without a name listens, and is present once they have one", () => {
  rename("");
  assert.deepEqual(channelOf("lobby").params(), { presence: true, resync: true, log: 2 });
  rename("bo");
  assert.equal(channelOf("lobby").params().name, "bo");
});

test("a room that is left stays joined until its posts are acknowledged", () => {
  room().post("hello");
  slug.value = "garden";
  const lobby = channelOf("lobby");
  assert.equal(lobby.left, false);
  assert.deepEqual(unsent(), { lobby: { waiting: 1, failed: 0 } });
  lobby.joins([]);
  const [post] = lobby.sent("new_message");
  lobby.receives("new_message", message(1, { id: post.payload.id, name: "ann" }));
  assert.deepEqual([unsent(), lobby.left], [{}, false]);
  post.reply("ok", { id: post.payload.id, seq: 1, inserted_at: "2026-11-24T03:06:22.123456Z" });
  assert.equal(lobby.left, true);
});

test("a post that failed keeps no room joined, and is counted", () => {
  channelOf("lobby").joins([]);
  room().post("hello");
  slug.value = "garden";
  channelOf("lobby").sent("new_message")[0].reply("error", { reason: "quarantined" });
  assert.equal(channelOf("lobby").left, true);
  assert.deepEqual(unsent(), { lobby: { waiting: 0, failed: 1 } });
  visited.of("lobby").posts.retry(visited.of("lobby").posts.pending.peek()[0].id);
  assert.equal(channelOf("lobby").left, false);
});

test("posts of pages that are gone are sent in their rooms, in which nobody is shown as present", async () => {
  const post = {
    name: "ann",
    message: "hello",
    inserted_at: "",
    written: 1,
    why: "",
    tried: false,
    heard: false,
    until: 0,
  };
  const posts = [{ ...post, id: "1", status: "waiting" }];
  await visited.adopt({ posts: kept([["attic", posts]]), operations: kept([]) });
  assert.deepEqual(channelOf("attic").params(), { presence: true, resync: true, log: 2 });
  assert.deepEqual(unsent(), { attic: { waiting: 1, failed: 0 } });
  channelOf("attic").joins([]);
  assert.deepEqual(
    channelOf("attic")
      .sent("new_message")
      .map((push) => push.payload.message),
    ["hello"],
  );
});

test("a room that is left stays joined until what was done in it is saved", () => {
  channelOf("lobby").joins([message(1)]);
  channelOf("lobby").disconnects();
  room().react(message(1), "👍");
  slug.value = "garden";
  const lobby = channelOf("lobby");
  assert.equal(lobby.left, false);
  lobby.joins([]);
  lobby.sent("react")[0].reply("ok", { id: "r", seq: 1 });
  assert.equal(lobby.left, true);
});

test("a room that is forgotten is left with all that was held, and not joined as long as it is barred", () => {
  const make = (room) => new Room(socket, room, () => name.peek(), new FakeOutbox(), new FakeOutbox());
  visited = new VisitedRooms(slug, name, make, isRemoved);
  const lobby = room();
  channelOf("lobby").joins([message(1)]);
  const joined = socket.channels.length;
  keepLeft("lobby", { title: "Lobby", text: "" });
  visited.forget("lobby");
  assert.notEqual(room(), lobby);
  assert.deepEqual([lobby.state.value, room().history.messages.value, socket.channels.length], ["left", [], joined]);
  dismissRemoved("lobby");
  assert.equal(socket.channels.length, joined + 1);
  assert.deepEqual(visited.all.value, [room()]);
});
