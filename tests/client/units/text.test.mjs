import assert from "node:assert/strict";
import { test } from "node:test";
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

const links = (text) =>
  parseText(text)
    .filter((part) => part.kind === "link")
    .map((part) => part.href);
const plain = (text) =>
  parseText(text)
    .map((part) => part.text)
    .join("");

test("control characters are dropped, new lines and tabs stay", () => {
  assert.equal(clean("a\u0000b\tc\r\nd\u009f\n\n"), "ab\tc\nd");
  assert.equal(clean("  code keeps its indent"), "  code keeps its indent");
  assert.equal(clean(" \n \t"), "");
});

test("half a surrogate pair becomes a character that can be sent", () => {
  assert.equal(clean("a\ud83d"), "a\ufffd");
  assert.equal(clean("🎂"), "🎂");
});

test("a name becomes one line with single blanks", () => {
  assert.equal(cleanName("  Ann \n  B  "), "Ann B");
});

test("characters are counted as the server counts them", () => {
  assert.equal(countCharacters("a🎂"), 2);
});

test("links are found without the punctuation around them", () => {
  assert.deepEqual(links("see https://a.example/x, (http://b.example/y) and https://c.example/w_(z)."), [
    "https://a.example/x",
    "http://b.example/y",
    "https://c.example/w_(z)",
  ]);
});

test("only http and https make a link", () => {
  assert.deepEqual(links("javascript:alert(1) data:text/html,x ftp://a.example https://"), []);
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
