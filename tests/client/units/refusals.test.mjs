import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceOf } from "../../../web/client/account/devices.js";
import { failureWords, inWords, problemOf } from "../../../web/client/account/refusals.js";
import { sharedLooks } from "../../../web/client/components/people/namesakes.js";

test("a wait is said in words, rounded up", () => {
  const words = [0, 1, 1000, 1001, 59_000, 59_001, 61_000, 3_600_000, 3_600_001].map(inWords);
  assert.deepEqual(words.slice(0, 5), ["1 second", "1 second", "1 second", "2 seconds", "59 seconds"]);
  assert.deepEqual(words.slice(5), ["1 minute", "2 minutes", "1 hour", "2 hours"]);
});

test("what is refused is said beside the field that is to blame", () => {
  assert.deepEqual(problemOf({ reason: "wrong" }), {
    field: "password",
    words: "That is not the password of this account.",
  });
  assert.equal(problemOf({ reason: "handle_taken" }).field, "handle");
  assert.deepEqual(problemOf({ reason: "invalid", field: "name", message: "too long" }), {
    field: "name",
    words: "Too long.",
  });
  assert.equal(problemOf({ reason: "invalid", message: "ätna: what now?" }).words, "Ätna: what now?");
  assert.deepEqual(problemOf({ reason: "500" }), { field: "", words: "That did not work." });
  assert.equal(problemOf({ reason: "lost" }).words, "The connection to the server was lost.");
});

test("one try too many says nothing of what was tried", () => {
  for (const reason of ["wrong", "passkey_unknown", "invite"]) {
    const { field, words } = problemOf({ reason, retry_after_ms: 40_500 });
    assert.deepEqual([field, words], ["", "There were too many tries. Try again in 41 seconds."]);
  }
  const { words, why } = problemOf({ reason: "busy", retry_after_ms: 1000 });
  assert.deepEqual([words, why], ["The server is busy. Try again in 1 second.", "The server is busy."]);
});

test("each reason why a provider signs nobody in has words of its own", () => {
  const reasons = [
    "cancelled",
    "sign_up_closed",
    "suspended",
    "forbidden",
    "gone",
    "unavailable",
    "busy",
    "rate_limited",
  ];
  const words = [...reasons, "address", "failed"].map(failureWords);
  assert.equal(new Set(words).size, words.length);
  assert.equal(failureWords("constructor"), failureWords("failed"));
});

test("a device is named by its browser and system", () => {
  const safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Mobile/15E148 Safari/604.1";
  const edge = "Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537.36 Edg/140";
  assert.deepEqual([safari, edge, "", "curl/8"].map(deviceOf), [
    "Safari on iPhone",
    "Edge on Windows",
    "A browser",
    "curl/8",
  ]);
});

test("two people share a look if their names differ in nothing that is seen", () => {
  const ann = { name: "Ann", author: { id: 1, handle: "ann" } };
  assert.deepEqual(sharedLooks([ann, ann, { name: "bo" }]), []);
  assert.deepEqual(sharedLooks([ann, { name: "ann" }]), ["ann"]);
  assert.deepEqual(sharedLooks([ann, { name: "\u0410nn", author: { id: 2, handle: "other" } }]), ["ann"]);
});
