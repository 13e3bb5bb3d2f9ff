import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../../web/client/messages.js";
import { Typing } from "../../../web/client/room/typing.js";
import { sortRooms } from "../../../web/client/rooms/list.js";
import { adoptMarks, countUnread, marks, markSeen, noteOwn } from "../../../web/client/rooms/seen.js";

/** @param {string} name @param {number} seq */
const listed = (name, seq) => ({ name, seq, last_message_at: null, people: 0 });

test("a room has as many new messages as its newest place is above the last one seen", () => {
  markSeen("tea", { seq: 3, epoch: 1, nth: 3 });
  assert.equal(countUnread(listed("tea", 3)), 0);
  assert.equal(countUnread(listed("tea", 5)), 2);
});

test("of a room's log only messages are new: its places between them are edits, reactions and deletions", () => {
  markSeen("soda", { seq: 9, epoch: 1, nth: 5 });
  assert.equal(countUnread({ ...listed("soda", 15), nth: 5 }), 0);
  assert.equal(countUnread({ ...listed("soda", 16), nth: 6 }), 1);
  noteOwn("soda", 16);
  assert.equal(countUnread({ ...listed("soda", 20), nth: 7 }), 1);
});

test("what one says in a room that is not on the screen is not new, whoever spoke in between", () => {
  markSeen("gin", { seq: 3, epoch: 1, nth: 3 });
  noteOwn("gin", 5);
  assert.equal(countUnread(listed("gin", 4)), 1);
  assert.equal(countUnread(listed("gin", 6)), 2);
  markSeen("gin", { seq: 5, epoch: 1, nth: 5 });
  assert.equal(countUnread(listed("gin", 6)), 1);
});

test("of a private room no mark is kept in the browser", () => {
  const slug = `p--${"a".repeat(26)}`;
  markSeen(slug, { seq: 3, epoch: 1, nth: 3 });
  assert.equal(marks.value.has(slug), false);
});

test("a list that is older than what was seen brings no news", () => {
  markSeen("tea", { seq: 7, epoch: 1, nth: 7 });
  assert.equal(countUnread(listed("tea", 5)), 0);
});

test("of the marks of two tabs the larger one holds", () => {
  markSeen("jam", { seq: 4, epoch: 1, nth: 4 });
  adoptMarks(JSON.stringify([["jam", { seq: 9, epoch: 1 }]]));
  assert.equal(marks.value.get("jam").seq, 9);
  adoptMarks(JSON.stringify([["jam", { seq: 2, epoch: 1 }]]));
  markSeen("jam", { seq: 5, epoch: 1, nth: 5 });
  assert.equal(marks.value.get("jam").seq, 9);
});

test("what a restart of the server made void is not seen any more", () => {
  markSeen("pie", { seq: 9, epoch: 1, nth: 9 });
  markSeen("pie", { seq: 8, epoch: 2, nth: 8 });
  assert.equal(countUnread(listed("pie", 9)), 1);
});

test("marks of an earlier version are read, and marks that are none are not", () => {
  adoptMarks(JSON.stringify([["old", { seq: 6, at: "2026-11-24T03:00:00.000000Z" }]]));
  assert.equal(countUnread(listed("old", 8)), 2);
  for (const json of ["", "no json", "{}", "7", '[["broken"]]']) adoptMarks(json);
  assert.equal(countUnread(listed("old", 8)), 2);
});

test("a room is known by its name only, also where JavaScript has a word of that name", () => {
  for (const name of ["constructor", "valueof", "__proto__", "toString"]) {
    assert.equal(countUnread(listed(name, 2)), 0);
    markSeen(name, { seq: 1, epoch: 1, nth: 1 });
    assert.equal(countUnread(listed(name, 2)), 1, name);
  }
});

test("the lobby comes first, then what is pinned, then what was used last", () => {
  const rooms = ["a", "b", "lobby", "c"].map((name) => listed(name, 1));
  const names = sortRooms(rooms, { pinned: ["c", "b"] }).map(({ name }) => name);
  assert.deepEqual(names, ["lobby", "c", "b", "a"]);
});

test("a reason without words is shown as it is, whatever its name", () => {
  assert.equal(explain({ reason: "overloaded" }), "the server is busy");
  for (const reason of ["constructor", "__proto__", "toString", "no such reason"])
    assert.equal(explain({ reason }), reason);
});

test("a crowd that types is not listed", () => {
  const typing = new Typing();
  for (let number = 0; number < 1000; number += 1) typing.add(`name ${number}`);
  assert.equal(typing.names.value.length, 4);
  typing.remove("name 0");
  typing.add("late");
  assert.ok(typing.names.value.includes("late"));
  typing.clear();
});
