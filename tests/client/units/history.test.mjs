import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_HELD, History } from "../../../web/client/room/history.js";
import { message, messages } from "./fakes.mjs";

const seqs = (history) => history.messages.value.map((each) => each.seq);

function holding(from, to) {
  const history = new History();
  messages(from, to).forEach((each) => history.add(each));
  return history;
}

test("messages are held by seq, and a repeat is ignored", () => {
  const history = holding(1, 3);
  history.add(message(2));
  assert.deepEqual(seqs(history), [1, 2, 3]);
});

test("messages ahead of a gap wait until the gap is filled", () => {
  const history = holding(1, 3);
  history.add(message(6));
  assert.deepEqual(seqs(history), [1, 2, 3]);
  assert.equal(history.hasGap, true);
  history.add(message(5));
  history.add(message(4));
  assert.deepEqual(seqs(history), [1, 2, 3, 4, 5, 6]);
  assert.equal(history.hasGap, false);
});

test("everything above a seq can be dropped, even the whole run", () => {
  const history = holding(3, 6);
  history.add(message(9));
  history.dropAbove(4);
  assert.deepEqual(seqs(history), [3, 4]);
  assert.equal(history.last, 4);
  assert.equal(history.hasGap, false);
  history.dropAbove(1);
  assert.deepEqual([history.first, history.last, seqs(history)], [0, 0, []]);
});

test("a void place counts for the run and is not shown", () => {
  const history = holding(1, 2);
  history.add(message(4));
  history.add(message(3, { void: true }));
  assert.deepEqual(seqs(history), [1, 2, 4]);
  assert.equal(history.last, 4);
  history.markVoid(2);
  history.add(message(5));
  assert.deepEqual(seqs(history), [1, 4, 5]);
  assert.deepEqual(
    history.after(2).map((each) => each.seq),
    [4, 5],
  );
});

test("a message ahead of a gap can become void", () => {
  const history = holding(1, 2);
  history.add(message(4));
  history.markVoid(4);
  history.add(message(3));
  assert.deepEqual([seqs(history), history.last], [[1, 2, 3], 4]);
});

test("skipping a gap keeps the messages ahead of it", () => {
  const history = holding(1, 3);
  [message(900), message(901)].forEach((each) => history.add(each));
  history.skipGap();
  assert.deepEqual(seqs(history), [900, 901]);
  assert.equal(history.hasMore.value, true);
});

test("older messages go in front, except those held already", () => {
  const history = holding(11, 12);
  history.prepend(messages(8, 11), true);
  assert.deepEqual(seqs(history), [8, 9, 10, 11, 12]);
  history.prepend([message(6, { void: true }), message(7)], true);
  assert.deepEqual([history.first, seqs(history)[0]], [6, 7]);
});

test("newer messages go to the end, except those held already", () => {
  const history = holding(11, 12);
  history.append([message(12), message(13), message(14, { void: true })]);
  assert.deepEqual([seqs(history), history.last], [[11, 12, 13], 14]);
  history.append(messages(12, 13));
  history.add(message(15));
  assert.deepEqual([seqs(history), history.last], [[11, 12, 13, 15], 15]);
});

test("after a seq come the messages above it", () => {
  const history = holding(11, 15);
  assert.deepEqual(
    history.after(13).map((each) => each.seq),
    [14, 15],
  );
  assert.equal(history.after(15).length, 0);
  assert.equal(history.after(2).length, 5);
});

test("too many messages are trimmed to the newest half", () => {
  const history = holding(1, MAX_HELD);
  history.trim();
  assert.equal(history.messages.value.length, MAX_HELD);
  history.add(message(MAX_HELD + 1));
  history.trim();
  assert.equal(history.messages.value.length, MAX_HELD / 2);
  assert.equal(history.last, MAX_HELD + 1);
  assert.equal(history.hasMore.value, true);
});
