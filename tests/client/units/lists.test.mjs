/** The orders of the page's lists, and what the dialog of Ctrl+K finds. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { lateSpeakers, orderPeople } from "../../../web/client/components/people/order.js";
import { findEntries } from "../../../web/client/components/palette/entries.js";
import { keepOrder } from "../../../web/client/components/list-hooks.js";
import { message } from "./fakes.mjs";

/** @param {string[]} names */
const named = (...names) => names.map((name) => ({ name, seq: 1, last_message_at: null, people: 0, connections: 1 }));

/** @param {{name: string}[]} list */
const namesOf = (list) => list.map(({ name }) => name);

/** @param {string} query @param {string[]} rooms @param {string[]} people */
function found(query, rooms, people = []) {
  return findEntries(query, named(...rooms), named(...people)).map(({ kind, name }) => `${kind} ${name}`);
}

test("oneself comes first, then who spoke lately, then the others as they were", () => {
  const said = ["bo", "dan", "eve", "bo", "ann"].map((name, index) => message(index + 1, { name }));
  assert.deepEqual(lateSpeakers(said), ["ann", "bo", "eve", "dan"]);
  const people = orderPeople(named("ann", "bo", "cleo", "dan"), "ann", lateSpeakers(said));
  assert.deepEqual(namesOf(people), ["ann", "bo", "dan", "cleo"]);
});

test("what was said long ago moves nobody", () => {
  const said = Array.from({ length: 101 }, (_, index) => message(index + 1, { name: index ? "bo" : "ann" }));
  assert.deepEqual(lateSpeakers(said), ["bo"]);
});

test("an order that is kept takes new rows in at its end and lets others go", () => {
  const kept = keepOrder(["c", "gone", "a", "b"], named("new", "a", "b", "c"), ({ name }) => name);
  assert.deepEqual(namesOf(kept), ["c", "a", "b", "new"]);
});

test("rooms that begin with the query come before those that have it inside", () => {
  assert.deepEqual(found("ga", ["saga", "garden"]), ["room garden", "room saga", "create ga"]);
  assert.deepEqual(found("#Garden ", ["garden"]), ["room garden"]);
});

test("an empty query finds all rooms and people and creates none", () => {
  assert.deepEqual(found("", ["b", "a"], ["ann"]), ["room b", "room a", "person ann"]);
});

test("people are found whatever the case, and a name that makes no room creates none", () => {
  assert.deepEqual(found("ZO", [], ["zoë"]), ["person zoë", "create zo"]);
  assert.deepEqual(found("!?", ["garden"]), []);
  assert.deepEqual(found("É", [], ["Élan"]), ["person Élan", "create e"]);
});
