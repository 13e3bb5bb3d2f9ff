import assert from "node:assert/strict";
import { test } from "node:test";
import { newId } from "../../../web/client/browser/id.js";
import { initials, slugify, tint, TINTS } from "../../../web/client/text/names.js";

test("a typed name becomes a slug", () => {
  assert.equal(slugify("  Café Society! "), "cafe-society");
  assert.equal(slugify("__a__"), "a__");
  assert.equal(slugify("日本"), "");
  assert.equal(slugify("x".repeat(80)).length, 64);
});

test("people have one or two letters and a fixed colour", () => {
  assert.equal(initials("ann"), "A");
  assert.equal(initials("José María López"), "JL");
  assert.equal(initials("🎂 cake"), "🎂C");
  assert.equal(tint("ann"), tint("ann"));
  assert.ok(tint("bo") < TINTS);
});

test("an id is new each time and short enough", () => {
  const ids = new Set(Array.from({ length: 100 }, newId));
  assert.equal(ids.size, 100);
  assert.ok([...ids].every((id) => id.length > 0 && id.length <= 64));
});
