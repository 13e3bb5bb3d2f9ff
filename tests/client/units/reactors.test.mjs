import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket, message, recovered, settled } from "./fakes.mjs";

const AT = "2026-11-24T03:06:22.123456Z";
const NAMES = Array.from({ length: 10 }, (_, index) => `p${index}`);
const crowd = (key = "👍", count = 12) => ({ [key]: { count, names: NAMES } });

let socket;
let room;
let name;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.parse(AT) });
  socket = new FakeSocket();
  name = "ann";
  room = new Room(socket, "lobby", () => name, new FakeOutbox(), new FakeOutbox());
  room.join("ann");
});

const row = (seq) => room.history.messages.value.find((each) => each.seq === seq);
const sent = () => socket.latest.sent("reactions").map((push) => push.payload);
const answer = async (response, status = "ok") => {
  socket.latest.sent("reactions").at(-1).reply(status, response);
  await settled();
};
const receive = (seq, fields) =>
  socket.latest.receives("room_event", { seq, kind: "react", target: 1, id: `e${seq}`, at: AT, key: "👍", ...fields });

/** Joins a room with messages to which many have reacted. */
async function join(...rows) {
  socket.latest.joins(rows);
  await settled();
}

test("an own reaction beyond the names is asked for, marked, and taken back by one press", async () => {
  await join(message(1, { reactions: crowd() }));
  assert.deepEqual([sent(), row(1).mine], [[{ seq: 1, key: "👍", name: "ann" }], undefined]);
  await answer({ count: 12, names: [...NAMES, "bo", "ann"], mine: true });
  assert.deepEqual(row(1).mine, ["👍"]);
  room.toggleReaction(row(1), "👍");
  assert.deepEqual([row(1).mine, row(1).reactions["👍"].count], [undefined, 11]);
  assert.deepEqual(
    socket.latest.sent("unreact").map((push) => push.payload),
    [{ seq: 1, name: "ann", key: "👍" }],
  );
  socket.latest.sent("unreact").at(-1).reply("ok", { id: "u", seq: 2 });
  receive(2, { remove: ["ann"], count: 11, names: NAMES });
  await settled();
  assert.deepEqual([row(1).mine, sent().length], [undefined, 1]);
});

test("nothing is asked where the names say it, or nobody has a name", async () => {
  await join(
    message(1, { reactions: crowd("👍", 10) }),
    message(2, { reactions: { "👍": { count: 12, names: ["ann", ...NAMES.slice(1)] } } }),
  );
  assert.deepEqual(sent(), []);
  name = "";
  room.join("");
  await join(message(3, { reactions: crowd() }));
  assert.deepEqual(sent(), []);
});

test("one is asked for after the other, the last shown first, and each once", async () => {
  await join(...[1, 2, 3].map((seq) => message(seq, { reactions: crowd() })));
  const asked = [];
  for (let count = 1; count <= 3; count += 1) {
    assert.equal(sent().length, count);
    asked.push(sent().at(-1).seq);
    await answer({ count: 12, names: NAMES, mine: false });
  }
  receive(4, { add: ["di"], count: 13, names: NAMES });
  await settled();
  assert.deepEqual([asked, sent().length], [[3, 2, 1], 3]);
});

test("what is heard while the answer is on its way counts", async () => {
  await join(message(1, { reactions: crowd() }));
  receive(2, { add: ["ann"], count: 13, names: NAMES });
  await answer({ count: 12, names: NAMES, mine: false });
  assert.deepEqual(row(1).mine, ["👍"]);
});

test("a server that is busy is asked again when it says, and one that refuses is not", async () => {
  await join(message(1, { reactions: crowd() }));
  await answer({ reason: "overloaded", retry_after_ms: 1000 }, "error");
  assert.equal(sent().length, 1);
  mock.timers.tick(2000);
  await settled();
  assert.equal(sent().length, 2);
  await answer({ reason: "gone" }, "error");
  mock.timers.tick(60_000);
  await settled();
  assert.equal(sent().length, 2);
});

test("nothing is asked without a connection, and what was not answered is asked for with the next", async () => {
  await join(message(1, { reactions: crowd() }));
  socket.latest.disconnects();
  await settled();
  assert.equal(sent().length, 1);
  socket.latest.joinPush.reply("ok", recovered(1));
  await settled();
  assert.equal(sent().length, 2);
  await answer({ count: 12, names: NAMES, mine: true });
  assert.deepEqual(row(1).mine, ["👍"]);
});

test("what another page may have done while the connection was lost is asked again, and shown until then", async () => {
  await join(message(1, { reactions: crowd() }));
  await answer({ count: 12, names: NAMES, mine: true });
  socket.latest.disconnects();
  socket.latest.joinPush.reply("ok", recovered(2));
  receive(2, { remove: ["di"], count: 11, names: NAMES });
  await settled();
  assert.deepEqual([row(1).mine, sent().length], [["👍"], 2]);
  await answer({ count: 11, names: NAMES, mine: false });
  assert.equal(row(1).mine, undefined);
});

test("under another name one has not reacted, until the server says so", async () => {
  await join(message(1, { reactions: crowd() }));
  await answer({ count: 12, names: NAMES, mine: true });
  name = "bo";
  room.join("bo");
  assert.equal(row(1).mine, undefined);
  socket.latest.joinPush.reply("ok", recovered(1));
  await settled();
  assert.deepEqual(sent(), [{ seq: 1, key: "👍", name: "bo" }]);
});

test("all who have reacted are read", async () => {
  await join(message(1, { reactions: crowd() }));
  await answer({ count: 12, names: NAMES, mine: false });
  const all = room.readReactors(row(1), "👍");
  await answer({ count: 12, names: [...NAMES, "x", "y"], mine: false });
  assert.deepEqual((await all).names, [...NAMES, "x", "y"]);
});
