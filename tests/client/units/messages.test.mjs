import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { explain, REASONS } from "../../../web/client/messages.js";

/** Returns the reasons in the table "Errors" of docs/protocol.md. */
function documented() {
  const protocol = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
  const [, errors = ""] = protocol.split(/^## Errors$/m);
  const [table = ""] = errors.split(/^## /m);
  return Array.from(table.matchAll(/^\| `([^`]+)`/gm), ([, reason]) => reason);
}

test("every documented reason has a sentence for the person", () => {
  const reasons = documented();
  assert.ok(reasons.length > 10);
  assert.deepEqual(
    reasons.filter((reason) => !(reason in REASONS)),
    [],
  );
});

test("an invalid request is explained by what the server says of it", () => {
  assert.equal(explain({ reason: "invalid", message: "expected text, got a number" }), "expected text, got a number");
});

test("an unknown reason is shown as it came", () => {
  assert.equal(explain({ reason: "some new reason" }), "some new reason");
});
