import assert from "node:assert/strict";
import { test } from "node:test";
import { findEntries } from "../../../web/client/components/palette/entries.js";

const [DEN, DIRECT] = [`p--${"x".repeat(26)}`, `d--${"y".repeat(26)}`];
const ROOMS = [
  { name: "tea" },
  { name: "steam" },
  { name: "kitchen", title: "Pots and pans" },
  { name: DEN, title: "Tea time" },
  { name: DIRECT, title: "Bo Lee" },
];
const BO = { name: "Bo Lee", author: { id: 8, handle: "bo" } };
const CY = { name: "Cy", author: { id: 9, handle: "cyril" } };

/** @param {string} query */
const found = (query, people = [CY], hasHandles = true) =>
  findEntries(query, ROOMS, people, hasHandles).map(({ kind, name }) => `${kind} ${name}`);

test("rooms are found by what they are called, those that begin so first", () => {
  assert.deepEqual(found("tea"), ["room tea", `room ${DEN}`, "room steam"]);
  assert.deepEqual(found("bo lee"), [`room ${DIRECT}`, "create bo-lee"]);
  assert.deepEqual([found("kitch")[0], found("pots")[0]], ["room kitchen", "room kitchen"]);
  assert.deepEqual(found("xxx")[0], "create xxx");
});

test("people are found by name and by handle", () => {
  assert.deepEqual(found("cyr"), ["person Cy", "create cyr"]);
  assert.deepEqual(found("@cyril"), ["person Cy"]);
  assert.deepEqual(found("bo", [BO, CY]), [`room ${DIRECT}`, "person Bo Lee", "create bo"]);
});

test("a handle of somebody unknown can be written to, by who has an account", () => {
  assert.deepEqual(found("@nobody"), ["handle nobody"]);
  assert.deepEqual(found("@nobody", [CY], false), []);
  assert.deepEqual(found("nobody"), ["create nobody", "handle nobody"]);
  assert.deepEqual(found("nobody", [CY], false), ["create nobody"]);
});

test("nothing typed finds all, and creates nothing", () => {
  assert.deepEqual(found(""), ["room tea", "room steam", "room kitchen", `room ${DEN}`, `room ${DIRECT}`, "person Cy"]);
});
