import assert from "node:assert/strict";
import { test } from "node:test";
import { explain } from "../../../web/client/messages.js";

test("an invalid request is explained by what the server says of it", () => {
  assert.equal(explain({ reason: "invalid", message: "expected text, got a number" }), "expected text, got a number");
});

test("an unknown reason is shown as it came", () => {
  assert.equal(explain({ reason: "some new reason" }), "some new reason");
});
