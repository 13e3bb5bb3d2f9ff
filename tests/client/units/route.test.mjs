import assert from "node:assert/strict";
import { test } from "node:test";
import { messagePath, partsOf, pathOf } from "../../../web/client/browser/route.js";

test("a room and a message have an address each", () => {
  assert.equal(pathOf("garden"), "/rooms/garden");
  assert.equal(pathOf("lobby"), "/");
  assert.equal(messagePath("garden", 7), "/rooms/garden/7");
  assert.equal(messagePath("lobby", 7), "/rooms/lobby/7");
});

test("an address names a room and perhaps a message", () => {
  const named = ["/rooms/garden", "/rooms/garden/7", "/rooms/garden/7/", "/rooms/lobby/7", "/"];
  assert.deepEqual(named.map(partsOf), [
    { room: "garden", seq: 0 },
    { room: "garden", seq: 7 },
    { room: "garden", seq: 7 },
    { room: "lobby", seq: 7 },
    { room: "lobby", seq: 0 },
  ]);
});

test("any other address is the lobby's", () => {
  const others = [
    "/rooms/-a",
    "/rooms/garden/0",
    "/rooms/garden/07",
    "/rooms/garden/1e3",
    "/rooms/garden/7/8",
    "/x/y/7",
  ];
  for (const path of [...others, `/rooms/garden/${"9".repeat(16)}`])
    assert.deepEqual(partsOf(path), { room: "lobby", seq: 0 }, path);
});
