import assert from "node:assert/strict";
import { test } from "node:test";
import { HELD_AT_MOST, History } from "../../web/client/history.js";
import { message, messages } from "./fakes.mjs";

const seqs = (history) => history.said.value.map((each) => each.seq);

function holding(from, to) {
  const history = new History();
  messages(from, to).forEach((each) => history.hear(each));
  return history;
}

test("messages stand by seq, and a repeat is held once", () => {
  const history = holding(1, 3);
  history.hear(message(2));
  assert.deepEqual(seqs(history), [1, 2, 3]);
});

test("what comes ahead of a gap waits until the gap is filled", () => {
  const history = holding(1, 3);
  history.hear(message(6));
  assert.deepEqual(seqs(history), [1, 2, 3]);
  assert.deepEqual(history.gap, { after: 3, before: 6 });
  history.hear(message(5));
  history.hear(message(4));
  assert.deepEqual(seqs(history), [1, 2, 3, 4, 5, 6]);
  assert.equal(history.gap, null);
});

test("the same seq with another id voids what was held from there on", () => {
  const history = holding(1, 5);
  history.hear(message(4, { id: "another" }));
  assert.deepEqual(history.said.value.map((each) => each.id), ["m1", "m2", "m3", "another"]);
});

test("starting over keeps what came ahead", () => {
  const history = holding(1, 3);
  [message(900), message(901)].forEach((each) => history.hear(each));
  history.startOver();
  assert.deepEqual(seqs(history), [900, 901]);
  assert.equal(history.more.value, true);
});

test("older messages go in front, and none that is held already", () => {
  const history = holding(11, 12);
  history.prepend(messages(8, 11), true);
  assert.deepEqual(seqs(history), [8, 9, 10, 11, 12]);
});

test("what was said after a seq is found without a search", () => {
  const history = holding(11, 15);
  assert.deepEqual(history.after(13).map((each) => each.seq), [14, 15]);
  assert.equal(history.after(15).length, 0);
  assert.equal(history.after(2).length, 5);
});

test("too many messages are trimmed to the newest half", () => {
  const history = holding(1, HELD_AT_MOST);
  history.trim();
  assert.equal(history.said.value.length, HELD_AT_MOST);
  history.hear(message(HELD_AT_MOST + 1));
  history.trim();
  assert.equal(history.said.value.length, HELD_AT_MOST / 2);
  assert.equal(history.last, HELD_AT_MOST + 1);
  assert.equal(history.more.value, true);
});
