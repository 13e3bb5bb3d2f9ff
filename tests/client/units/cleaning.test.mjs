import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_MARKS } from "../../../web/client/text/characters.js";
import { clean, cleanName, countCharacters } from "../../../web/client/text/cleaning.js";

test("control characters are dropped, new lines and tabs stay", () => {
  assert.equal(clean("a\u0000b\tc\r\nd\u009f\n\n"), "ab\tc\nd");
  assert.equal(clean("  code keeps its indent"), "  code keeps its indent");
  assert.equal(clean(" \n \t"), "");
});

test("a text of which nothing can be seen is empty", () => {
  for (const blank of ["\u200b", "\u2800", "\u3164", "\u00ad", "\u202e\n\u2066", "\u{e0041}", "\ufe0f", "\u0301"])
    assert.equal(clean(blank), "", JSON.stringify(blank));
  assert.equal(clean("\u200b\n  a"), "  a");
});

test("no more marks are stacked than the server takes", () => {
  assert.equal(clean(`a${"\u0301".repeat(300)}b`), `a${"\u0301".repeat(MAX_MARKS)}b`);
});

test("half a surrogate pair becomes a character that can be sent", () => {
  assert.equal(clean("a\ud83d"), "a\ufffd");
  assert.equal(clean("🎂"), "🎂");
});

test("a name becomes one line with single blanks", () => {
  assert.equal(cleanName("  Ann \n  B  "), "Ann B");
  assert.equal(cleanName("e\u0301lan\u200b\u202e"), "élan");
  assert.equal(cleanName("\u3164\u2800"), "");
});

test("characters are counted as the server counts them", () => {
  assert.equal(countCharacters("a🎂"), 2);
});
