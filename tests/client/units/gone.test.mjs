import assert from "node:assert/strict";
import { test } from "node:test";
import { foldRuns, leavesNothing } from "../../../web/client/components/conversation/gone.js";

const at = (seconds) => new Date(Date.UTC(2026, 4, 4, 12, 0, seconds)).toISOString();
const said = (seq, more = {}) => ({
  seq,
  id: `m${seq}`,
  name: "ann",
  message: `word ${seq}`,
  inserted_at: at(seq),
  ...more,
});
const deleted = (seq, more = {}) => said(seq, { message: "", deleted_at: at(seq + 90), deleted_by: "ann", ...more });
const seqs = (runs) => runs.map((run) => run.map(({ seq }) => seq));

test("a message leaves nothing if it was deleted within a minute and nobody has answered", () => {
  assert.ok(!leavesNothing(said(1)));
  assert.ok(leavesNothing(deleted(1, { deleted_at: at(60) })));
  assert.ok(!leavesNothing(deleted(1, { deleted_at: at(61) })));
  assert.ok(!leavesNothing(deleted(1, { deleted_at: at(2), replies: 1 })));
});

test("deleted messages that follow each other are one run, unless somebody has answered one", () => {
  assert.deepEqual(seqs(foldRuns([said(1), deleted(2), deleted(3), said(4), deleted(5)])), [[1], [2, 3], [4], [5]]);
  assert.deepEqual(seqs(foldRuns([deleted(1), deleted(2, { replies: 3 }), deleted(3), deleted(4)])), [
    [1],
    [2],
    [3, 4],
  ]);
});

test("a run of deleted messages ends with its day", () => {
  const dayBefore = deleted(1, { inserted_at: "2026-05-01T12:00:00Z" });
  assert.deepEqual(seqs(foldRuns([dayBefore, deleted(2)])), [[1], [2]]);
});
