import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../../web/client/room/history.js";
import { MAX_HELD } from "../../../web/client/room/run.js";
import { message, messages, plainRows } from "./fakes.mjs";

const seqs = (history) => history.messages.value.map((each) => each.seq);

function holding(from, to) {
  const rows = plainRows({ changed: (seq) => history.update(seq) });
  const history = new History(rows);
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
  assert.deepEqual([history.last, history.isEmpty, history.hasMore.value, seqs(history)], [1, true, true, []]);
  history.add(message(2));
  assert.deepEqual(seqs(history), [2]);
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

test("a void place drops what came ahead of a gap, which may tell of its effect", () => {
  const history = holding(1, 2);
  history.add(message(4));
  history.markVoid(4);
  assert.equal(history.hasGap, false);
  history.add(message(3));
  assert.deepEqual([seqs(history), history.last], [[1, 2, 3], 3]);
});

test("skipping a gap keeps the messages ahead of it", () => {
  const history = holding(1, 3);
  [message(900), message(901)].forEach((each) => history.add(each));
  history.skipGap();
  assert.deepEqual(seqs(history), [900, 901]);
  assert.equal(history.hasMore.value, true);
});

/** Takes a page and puts it at one end. */
const prepend = (history, page, hasMore) => (history.rows.take(page), history.prepend(page, hasMore));
const append = (history, page, last) => (history.rows.take(page), history.append(page, last));

test("older messages go in front, except those held already", () => {
  const history = holding(11, 12);
  prepend(history, messages(8, 11), true);
  assert.deepEqual(seqs(history), [8, 9, 10, 11, 12]);
  prepend(history, [message(6, { void: true }), message(7)], true);
  assert.deepEqual([history.first, seqs(history)[0]], [6, 7]);
});

test("a page leaves out the places of other entries, and the last page reaches the start", () => {
  const history = holding(11, 12);
  prepend(history, [message(5), message(8)], true);
  assert.deepEqual([seqs(history), history.first], [[5, 8, 11, 12], 5]);
  prepend(history, [message(3)], false);
  assert.deepEqual([seqs(history), history.first], [[3, 5, 8, 11, 12], 1]);
});

test("newer messages go to the end, except those held already", () => {
  const history = holding(11, 12);
  append(history, [message(12), message(13), message(14, { void: true })]);
  assert.deepEqual([seqs(history), history.last], [[11, 12, 13], 14]);
  append(history, messages(12, 13));
  history.add(message(15));
  assert.deepEqual([seqs(history), history.last], [[11, 12, 13, 15], 15]);
  append(history, [message(18)], 20);
  assert.deepEqual([seqs(history).at(-1), history.last], [18, 20]);
});

test("other entries count for the run, and change the message that they touch", () => {
  const history = holding(1, 2);
  history.add({ seq: 4, kind: "of tomorrow", id: "e4", at: "" });
  history.add({ seq: 3, kind: "edit", target: 1, message: "mended", edits: 1, id: "e3", at: "now" });
  assert.deepEqual([seqs(history), history.last, history.hasGap], [[1, 2], 4, false]);
  const [first] = history.messages.value;
  assert.deepEqual([first.message, first.edits, first.edited_at], ["mended", 1, "now"]);
});

test("a greeting leaves places out, and what comes ahead of its end waits for it", () => {
  const history = new History(plainRows());
  history.greet(9);
  [message(2), message(10), message(5)].forEach((each) => history.add(each));
  assert.deepEqual([seqs(history), history.last, history.hasGap], [[2, 5], 5, false]);
  history.greeted();
  assert.deepEqual([seqs(history), history.first, history.last], [[2, 5, 10], 2, 10]);
});

test("a greeting that ends early goes on after what has come of it", () => {
  const history = new History(plainRows());
  history.greet(9);
  [message(2), message(5)].forEach((each) => history.add(each));
  history.dropAhead();
  history.add(message(6));
  assert.deepEqual([seqs(history), history.last], [[2, 5, 6], 6]);
});

test("a room without messages goes on after its other entries", () => {
  const history = new History(plainRows());
  history.greet(3);
  history.greeted();
  assert.deepEqual([history.last, history.isEmpty], [3, true]);
  history.add(message(4));
  assert.deepEqual([seqs(history), history.first, history.hasMore.value], [[4], 4, true]);
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
