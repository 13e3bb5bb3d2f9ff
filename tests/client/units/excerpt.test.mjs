import assert from "node:assert/strict";
import { test } from "node:test";
import { excerptOf } from "../../../web/client/text/excerpt.js";

test("an excerpt is one line without markup", () => {
  assert.equal(excerptOf("plain words"), "plain words");
  assert.equal(excerptOf("**bold** and `code`\nand [a link](https://example.org)"), "bold and code and a link");
  assert.equal(excerptOf("> quoted\n\nanswer"), "quoted answer");
  assert.equal(excerptOf("- one\n- two"), "one, two");
  assert.equal(excerptOf("```js\nlet a = 1\n```"), "let a = 1");
});

test("an excerpt does not tell what a spoiler hides, however late it ends", () => {
  assert.equal(excerptOf("it was ||the butler||!"), "it was ▒▒▒▒▒!");
  assert.ok(!excerptOf(`||${"secret ".repeat(300)}end||`).includes("secret"));
});

test("an excerpt has at most 120 characters, and cuts none in two", () => {
  assert.equal(excerptOf("a".repeat(120)), "a".repeat(120));
  assert.equal(excerptOf("🎉".repeat(121)), `${"🎉".repeat(119)}…`);
});
