import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_MARKS } from "../../../web/client/characters.js";
import {
  clean,
  cleanName,
  countCharacters,
  initials,
  newId,
  parseText,
  slugify,
  tint,
  TINTS,
} from "../../../web/client/text.js";

const plain = (text) =>
  parseText(text)
    .map((part) => part.text)
    .join("");

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

test("the parts together are the whole text", () => {
  const text = "a https://a.example, `b` <b>c</b> https://b.example";
  assert.equal(plain(text), text.replaceAll("`", ""));
});

test("code is not searched for links, and a block takes the line breaks around it", () => {
  assert.deepEqual(parseText("x\n```js\nhttps://a.example\n```\ny `https://b.example`"), [
    { kind: "text", text: "x" },
    { kind: "block", text: "https://a.example" },
    { kind: "text", text: "y " },
    { kind: "code", text: "https://b.example" },
  ]);
});

test("backticks that nothing closes are text", () => {
  for (const text of ["`", "```", "`a\nb`", "``", "```a", "a `b"])
    assert.deepEqual(parseText(text), [{ kind: "text", text }]);
  assert.deepEqual(parseText("```\n```"), [{ kind: "block", text: "\n" }]);
  assert.deepEqual(parseText("``` a ``` `b`"), [
    { kind: "block", text: " a " },
    { kind: "text", text: " " },
    { kind: "code", text: "b" },
  ]);
});

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
