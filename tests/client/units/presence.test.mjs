import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket } from "./fakes.mjs";

let socket;
let room;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  socket = new FakeSocket();
  room = new Room(socket, "lobby", () => "ann", new FakeOutbox(), new FakeOutbox());
  room.join("ann");
});

/** @param {string[]} names */
const present = (...names) => Object.fromEntries(names.map((name) => [name, { metas: [{ phx_ref: name }] }]));
const counts = (people) => socket.latest.receives("presence_count", { people });
const changes = ({ joins = [], leaves = [] }) =>
  socket.latest.receives("presence_diff", { joins: present(...joins), leaves: present(...leaves) });

/** Returns the total and the number of those listed, once the page has counted. */
function here() {
  mock.timers.tick(100);
  return [room.people.total.value, room.people.listed.value.length];
}

test("the total is the number of those listed", () => {
  socket.latest.joins([], { people: present("ann", "bo") });
  assert.deepEqual(here(), [2, 2]);
  changes({ joins: ["cy"] });
  assert.deepEqual(here(), [3, 3]);
});

test("a crowd is listed in part and counted whole", () => {
  socket.latest.joins([], { people: present("ann", "bo") });
  counts(250);
  assert.deepEqual(here(), [250, 2]);
  changes({ joins: ["cy"], leaves: ["bo"] });
  assert.deepEqual(here(), [250, 2]);
  counts(251);
  assert.deepEqual(here(), [251, 2]);
});

test("a crowd that has shrunk to those listed is counted by the list", () => {
  socket.latest.joins([], { people: present("ann", "bo", "cy") });
  counts(4);
  assert.deepEqual(here(), [4, 3]);
  counts(3);
  changes({ leaves: ["cy"] });
  assert.deepEqual(here(), [2, 2]);
});

test("the last count of a crowd may come before the last of its people", () => {
  socket.latest.joins([], { people: present("ann", "bo") });
  counts(5);
  counts(3);
  changes({ joins: ["cy"] });
  changes({ leaves: ["cy"] });
  assert.deepEqual(here(), [2, 2]);
});

test("a rejoin starts a new count, and until then the page shows the old one", () => {
  socket.latest.joins([], { people: present("ann", "bo") });
  counts(250);
  assert.deepEqual(here(), [250, 2]);
  socket.latest.disconnects();
  assert.deepEqual(here(), [250, 2]);
  socket.latest.joins([], { people: present("ann") });
  assert.deepEqual(here(), [1, 1]);
});

test("after leaving nobody is shown, whatever the old channel delivers", () => {
  socket.latest.joins([], { people: present("ann", "bo") });
  counts(250);
  room.leave();
  counts(251);
  assert.deepEqual(here(), [0, 0]);
});
