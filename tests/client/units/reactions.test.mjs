import assert from "node:assert/strict";
import { test } from "node:test";
import { emojiOf, keyOf } from "../../../web/client/components/reactions/emoji.js";
import { sayNames } from "../../../web/client/components/reactions/names.js";

test("an emoji with and without U+FE0F has one key, which is drawn as a picture", () => {
  for (const [emoji, key] of [
    ["❤️", "❤"],
    ["☺️", "☺"],
    ["1️⃣", "1⃣"],
    ["🏳️‍🌈", "🏳‍🌈"],
    ["👍", "👍"],
    ["✌🏽", "✌🏽"],
    ["🇨🇭", "🇨🇭"],
  ]) {
    assert.equal(keyOf(emoji), key);
    assert.equal(emojiOf(key), emoji);
  }
});

test("who reacted is said by name, oneself first, and as a number beyond the names known", () => {
  const say = (count, names, isMine = false) => sayNames({ count, names }, "ann", isMine);
  assert.equal(say(1, ["bo"]), "bo");
  assert.equal(say(3, ["bo", "ann", "cy"], true), "you, bo and cy");
  assert.equal(say(1, ["ann"], true), "you");
  assert.equal(say(12, ["bo", "cy"], true), "you, bo, cy and 9 others");
  assert.equal(say(3, ["bo", "cy"]), "bo, cy and 1 other");
  const crowd = Array.from({ length: 500 }, (_, index) => `person ${index}`);
  assert.match(say(500, crowd, true), /^you, person 0, .*, person 54 and 444 others$/);
});
