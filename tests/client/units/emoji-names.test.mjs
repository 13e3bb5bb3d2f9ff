import assert from "node:assert/strict";
import { test } from "node:test";
import { gemoji } from "../../../web/client/node_modules/gemoji/index.js";
import { begunName, completeName, findEmoji } from "../../../web/client/text/emoji-names.js";

test("a name begins with a colon that follows no word, and has two letters", () => {
  for (const text of [":ta", "well :ta", "(:ta", "a\n:ta", "`x` :ta"]) assert.equal(begunName(text), ":ta");
  assert.equal(begunName("so :+1"), ":+1");
  for (const text of [":t", "10:30", "a:ta", ":tada:", ":-)", "::ta", "`x :ta", "http://x"])
    assert.equal(begunName(text), "");
});

test("the name itself comes first, then those that begin so, then the others", () => {
  const names = completeName(gemoji, ":cat").map(({ name }) => name);
  assert.equal(names[0], "cat");
  assert.ok(names.slice(1).some((name) => name.startsWith("cat")));
  assert.ok(names.length <= 6);
  assert.deepEqual(completeName(gemoji, ":xyzzyx"), []);
});

test("a search finds the name first, then beginnings of names, of words, and the rest", () => {
  const found = (typed) => findEmoji(gemoji, typed).map(({ emoji }) => emoji);
  for (const [typed, first] of [
    ["eyes", "👀"],
    ["Heart eyes", "😍"],
    [":tada", "🎉"],
    ["+1", "👍"],
  ])
    assert.equal(found(typed)[0], first);
  const names = findEmoji(gemoji, "cat").map((emoji) => emoji.names);
  const begin = names.findLastIndex((each) => each.some((name) => name.startsWith("cat")));
  assert.ok(names.slice(0, begin).every((each) => each.some((name) => name.startsWith("cat"))));
  const at = (name) => names.findIndex((each) => each.includes(name));
  assert.ok(begin < at("smiley_cat"));
  assert.ok(at("smiley_cat") < at("mortar_board")); // which is for education
  assert.deepEqual(found("xyzzyx"), []);
  assert.deepEqual(
    completeName(gemoji, ":eyes").map(({ emoji }) => emoji),
    findEmoji(gemoji, "eyes")
      .flatMap(({ emoji, names }) => (names.join().includes("eyes") ? [emoji] : []))
      .slice(0, 6),
  );
});
