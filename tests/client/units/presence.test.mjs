import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeSocket } from "./fakes.mjs";

let socket;
let room;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  socket = new FakeSocket();
  room = new Room(socket, "lobby", () => "ann");
  room.join();
});

/** @param {string[]} names */
const present = (...names) => Object.fromEntries(names.map((name) => [name, { metas: [{ phx_ref: name }] }]));
const counts = (people) => socket.latest.hears("presence_count", { people });
const changes = ({ joins = [], leaves = [] }) =>
  socket.latest.hears("presence_diff", { joins: present(...joins), leaves: present(...leaves) });

/** How many are here and how many of them are listed, when the page has counted. */
function here() {
  mock.timers.tick(100);
  return [room.people.total.value, room.people.listed.value.length];
}

test("where all are listed, as many are here", () => {
  socket.latest.welcomes([], { people: present("ann", "bo") });
  assert.deepEqual(here(), [2, 2]);
  changes({ joins: ["cy"] });
  assert.deepEqual(here(), [3, 3]);
});

test("of a crowd some are listed and all are counted", () => {
  socket.latest.welcomes([], { people: present("ann", "bo") });
  counts(250);
  assert.deepEqual(here(), [250, 2]);
  changes({ joins: ["cy"], leaves: ["bo"] });
  assert.deepEqual(here(), [250, 2]);
  counts(251);
  assert.deepEqual(here(), [251, 2]);
});

test("a crowd that has shrunk to those listed is no crowd any more", () => {
  socket.latest.welcomes([], { people: present("ann", "bo", "cy") });
  counts(4);
  assert.deepEqual(here(), [4, 3]);
  counts(3);
  changes({ leaves: ["cy"] });
  assert.deepEqual(here(), [2, 2]);
});

test("the last count of a crowd may come before the last of its people", () => {
  socket.latest.welcomes([], { people: present("ann", "bo") });
  counts(5);
  counts(3);
  changes({ joins: ["cy"] });
  changes({ leaves: ["cy"] });
  assert.deepEqual(here(), [2, 2]);
});

test("a rejoin counts anew, and until then the page shows what it knew", () => {
  socket.latest.welcomes([], { people: present("ann", "bo") });
  counts(250);
  assert.deepEqual(here(), [250, 2]);
  socket.latest.breaks();
  assert.deepEqual(here(), [250, 2]);
  socket.latest.welcomes([], { people: present("ann") });
  assert.deepEqual(here(), [1, 1]);
});

test("one who left knows of nobody, whatever the channel still says", () => {
  socket.latest.welcomes([], { people: present("ann", "bo") });
  counts(250);
  room.leave();
  counts(251);
  assert.deepEqual(here(), [0, 0]);
});
