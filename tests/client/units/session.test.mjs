import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { FakeOutbox, FakeSocket } from "./fakes.mjs";

const ANN = { id: 7, handle: "ann", name: "Ann" };
globalThis.document = { addEventListener: () => {} };
globalThis.localStorage = { getItem: (key) => (key === "chatter:account" ? JSON.stringify(ANN) : null) };
const { Room } = await import("../../../web/client/room/room.js");
const { isSessionOver, watchSession } = await import("../../../web/client/account/session.js");

/** What the server says of who this is. */
let me;
let connection;
let close;
let refused;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["Date"] });
  isSessionOver.value = false;
  globalThis.fetch = async () => ({ ok: me !== null, status: me ? 200 : 401, json: async () => me ?? {} });
  me = ANN;
  const room = new Room(new FakeSocket(), "tea", () => "Ann", new FakeOutbox(), new FakeOutbox());
  refused = room.refused;
  connection = {
    stopped: 0,
    stop: () => (connection.stopped += 1),
    socket: { onMessage: () => {}, onClose: (act) => (close = act) },
  };
  watchSession(connection, { value: room });
});

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a session that ends once is renewed by connecting anew, and one that ends again at once is over", async () => {
  close({ code: 4001 });
  close({ code: 1012 });
  assert.deepEqual([isSessionOver.value, connection.stopped], [false, 0]);
  mock.timers.tick(61_000);
  close({ code: 4001 });
  assert.deepEqual([isSessionOver.value, connection.stopped], [false, 0]);
  mock.timers.tick(5000);
  close({ code: 4001 });
  await settled();
  assert.deepEqual([isSessionOver.value, connection.stopped], [false, 0]); // the server knows it still
  me = null;
  close({ code: 4001 });
  await settled();
  assert.deepEqual([isSessionOver.value, connection.stopped], [true, 1]);
});

test("a room that does not let somebody in says nothing of the session", async () => {
  refused.value = { reason: "unauthorized" };
  await settled();
  assert.deepEqual([isSessionOver.value, connection.stopped], [false, 0]);
});

test("a join that is refused as the session is none any more asks to sign in again", async () => {
  me = null;
  refused.value = { reason: "unauthorized" };
  await settled();
  assert.deepEqual([isSessionOver.value, connection.stopped], [true, 1]);
});

test("a server that cannot be asked says nothing of the session", async () => {
  globalThis.fetch = async () => {
    throw new TypeError("no network");
  };
  refused.value = { reason: "sign_in" };
  await settled();
  assert.deepEqual([isSessionOver.value, connection.stopped], [false, 0]);
});
