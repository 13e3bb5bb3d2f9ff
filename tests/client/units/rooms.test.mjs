import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../../web/client/messages.js";
import { History } from "../../../web/client/room/history.js";
import { Typing } from "../../../web/client/room/typing.js";
import { hasNews, lastSeen, markSeen } from "../../../web/client/rooms/list.js";
import { message } from "./fakes.mjs";

const EARLY = "2026-11-24T03:00:00.000000Z";
const LATE = "2026-11-24T04:00:00.000000Z";

/** Returns a history that holds a message for each of these times. @param {string[]} times */
function historyOf(...times) {
  const history = new History();
  times.forEach((inserted_at, index) => history.add(message(index + 1, { inserted_at })));
  return history;
}

test("a room has news if its newest message is another than the last one seen, whatever the clock says", () => {
  markSeen("tea", historyOf(LATE));
  assert.equal(hasNews({ name: "tea", last_message_at: LATE, people: 0 }), false);
  assert.equal(hasNews({ name: "tea", last_message_at: EARLY, people: 0 }), true);
});

test("a list that is older than what was seen brings no news", () => {
  markSeen("tea", historyOf(EARLY, LATE));
  assert.equal(hasNews({ name: "tea", last_message_at: EARLY, people: 0 }), false);
});

test("a void place is seen too", () => {
  const history = historyOf(EARLY);
  history.add(message(2, { inserted_at: LATE, void: true }));
  markSeen("tea", history);
  assert.deepEqual(lastSeen.value.get("tea"), { seq: 2, at: LATE });
  assert.equal(hasNews({ name: "tea", last_message_at: LATE, people: 0 }), false);
});

test("what a restart of the server made void is not seen any more", () => {
  const history = historyOf(EARLY, LATE);
  markSeen("tea", history);
  history.dropAbove(1);
  markSeen("tea", history);
  assert.deepEqual(lastSeen.value.get("tea"), { seq: 1, at: EARLY });
});

test("a room is known by its name only, also where JavaScript has a word of that name", () => {
  for (const name of ["constructor", "valueof", "__proto__", "toString"]) {
    assert.equal(hasNews({ name, last_message_at: LATE, people: 0 }), false);
    markSeen(name, historyOf(EARLY));
    assert.equal(hasNews({ name, last_message_at: LATE, people: 0 }), true, name);
  }
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
