import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_DEPTH, MAX_NODES } from "../../../web/client/text/budget.js";
import { isPlain, parse } from "../../../web/client/text/markdown.js";

const NAMES = { strong: "b", em: "i", strike: "s", spoiler: "spoiler" };

/** Writes a tree as one line, with tags for elements. @param {string} text */
const drawn = (text) => parse(text).map(drawBlock).join(" / ");
const drawAll = (nodes) => nodes.map(drawInline).join("");

function drawInline(node) {
  if (typeof node === "string") return node;
  if (node.kind === "code") return `<code>${node.text}</code>`;
  if (node.kind === "emoji") return `<emoji ${node.name}>`;
  if (node.kind !== "link") return `<${NAMES[node.kind]}>${drawAll(node.children)}</${NAMES[node.kind]}>`;
  return `<a ${node.href}>${drawAll(node.children)}</a>${node.host && ` (${node.host})`}`;
}

function drawBlock(block) {
  if (block.kind === "paragraph") return drawAll(block.children);
  if (block.kind === "quote") return `<quote>${block.blocks.map(drawBlock).join(" / ")}</quote>`;
  if (block.kind === "fence") return `<fence ${block.language}>${block.text}</fence>`;
  const items = block.items.map(({ number, blocks }) => `<${number || "*"}>${blocks.map(drawBlock).join(" / ")}`);
  return `<list>${items.join("")}</list>`;
}

/** @param {Record<string, string>} expected what is drawn of each text */
function expectDrawn(expected) {
  for (const [text, tree] of Object.entries(expected)) assert.equal(drawn(text), tree, text);
}

/** @param {string[]} texts */
function expectAsTyped(...texts) {
  for (const text of texts) assert.equal(drawn(text), text);
}

test("words are emphasised", () => {
  expectDrawn({
    "**a** *b* _c_ ~~d~~ ||e||": "<b>a</b> <i>b</i> <i>c</i> <s>d</s> <spoiler>e</spoiler>",
    "(*a*), “**b**”!": "(<i>a</i>), “<b>b</b>”!",
    "*two\nlines*": "<i>two\nlines</i>",
    "un**believ**able": "un<b>believ</b>able",
    "**Note:** this": "<b>Note:</b> this",
    "这是**重要**的。**「语」**です": "这是<b>重要</b>的。<b>「语」</b>です",
    "🎂*a*🎂": "🎂<i>a</i>🎂",
  });
});

test("emphasis is in emphasis, in either order", () => {
  expectDrawn({
    "***a***": "<b><i>a</i></b>",
    "***a** b*": "<i><b>a</b> b</i>",
    "***a* b**": "<b><i>a</i> b</b>",
    "**a *b***": "<b>a <i>b</i></b>",
    "*a **b***": "<i>a <b>b</b></i>",
    "~~a ||b `c`||~~": "<s>a <spoiler>b <code>c</code></spoiler></s>",
    "**a***": "<b>a</b>*",
  });
});

test("what is no emphasis stays as it was typed", () => {
  expectAsTyped(
    "snake_case_name __init__ _id and _name",
    "2*3*4 a*b*c 2**3**4 x**2 + y**2",
    "a * b * c ~~ d ** e",
    "f(*args, **kwargs) int *p, *q;",
    "*.js and *.css, src/*.js, lib/*.ts (*.js|*.css)",
    "a || b || c a||b||c",
    "*a **b ~~c ||d _e",
    "**** f**k ~ a~b",
    "¯\\_(ツ)_/¯",
    "<b>a</b> &amp; <!-- -->",
    "# no heading",
    "![image](no)",
    "| a | b |",
  );
});

test("markers that cross, and openings before the last, are text", () => {
  expectDrawn({ "*a ||b* c||": "<i>a ||b</i> c||", "*a ~~b *c* d~~ e": "*a <s>b <i>c</i> d</s> e" });
});

test("a backslash makes text of a marker", () => {
  expectDrawn({
    "\\*a\\* \\_b\\_ \\~~c~~ \\||d||": "*a* _b_ ~~c~~ ||d||",
    "\\`a\\` \\[b](https://c.example)": "`a` [b](<a https://c.example>https://c.example</a>)",
    "\\\\*a*": "\\*a*",
    "\\- a": "- a",
    "\\> a": "> a",
    "1\\. a": "1. a",
    "\\:smile:": ":smile:",
  });
  expectAsTyped("\\\\server\\share", "C:\\dir", "\\");
});

test("code is not searched for anything", () => {
  expectDrawn({
    "`*a* https://a.example :b:`": "<code>*a* https://a.example :b:</code>",
    "``a`b``": "<code>a`b</code>",
    "*a `b* c`": "*a <code>b* c</code>",
    "https://a.example/`b`": "<a https://a.example/>https://a.example/</a><code>b</code>",
  });
  expectAsTyped("`", "``", "`a\nb`", "a `b", "```a");
});

test("a fence has lines of its own, and may name a language", () => {
  expectDrawn({
    "x\n```js\nhttps://a.example\n```\ny": "x / <fence js>https://a.example</fence> / y",
    "```C++\na\n\n  b\n```": "<fence c++>a\n\n  b</fence>",
    "``` a ``` `b`": "<fence > a </fence> /  <code>b</code>",
    "see ```\na\n``` there": "see  / <fence >a</fence> /  there",
    "```\n```": "<fence >\n</fence>",
    "```not a language\na\n```": "<fence >not a language\na</fence>",
    "```\n- a\n> b\n```": "<fence >- a\n> b</fence>",
  });
});

test("quotes and lists are in each other", () => {
  expectDrawn({
    "> a\n> b\nc": "<quote>a\nb</quote> / c",
    "> > a\n> - b": "<quote><quote>a</quote> / <list><*>b</list></quote>",
    "> ```py\n> a\n> ```": "<quote><fence py>a</fence></quote>",
    "- a\n- b\n  - c\n    d\n- e": "<list><*>a<*>b / <list><*>c\nd</list><*>e</list>",
    "* a\n\n* b\n\n  c\n\nd": "<list><*>a<*>b / c</list> / d",
    "- ```js\n  a\n  ```\n- b": "<list><*><fence js>a</fence><*>b</list>",
    "1. a\n1. b\n7) c\n- d": "<list><1>a<2>b<7>c</list> / <list><*>d</list>",
    "a\n1. b": "a / <list><1>b</list>",
  });
  expectAsTyped(">_<", ">>> print(1)", "-1 or -2", "- ", "2026. a", "on the\n10. December", "--\nAnn", "+1 for it");
});

test("line breaks and blank lines stay", () => {
  assert.deepEqual(parse("a\nb\n\n\n\n c"), [
    { kind: "paragraph", children: ["a\nb"] },
    { kind: "paragraph", children: ["\n\n c"] },
  ]);
});

test("a link has its own words", () => {
  expectDrawn({
    "[a *b*](https://a.example/x_(y)?z)!": "<a https://a.example/x_(y)?z>a <i>b</i></a>!",
    "[a](www.a.example) [b](mailto:b@a.example)": "<a https://www.a.example>a</a> <a mailto:b@a.example>b</a>",
    "*[a](https://a.example)*": "<i><a https://a.example>a</a></i>",
    "x[0] [a](http://a.example)": "x[0] <a http://a.example>a</a>",
  });
});

test("no link is in another, and none leads elsewhere than to a page or a mailbox", () => {
  expectDrawn({ "[a [b](https://b.example)": "[a <a https://b.example>b</a>" });
  expectAsTyped(
    "[a](javascript:alert(1)) [b](data:text/html,x) [c](//c.example) [d](/d) [e](d.example)",
    "[a](JavaScript:alert) [b](\u0001javascript:alert) [c](ftp://c.example) [d](https://) [e]( https:)",
    "[a](blob:x) [b]() [c](http:) [d](mailto:)",
  );
  for (const label of ["", " ", "\u200b", "\u3164"])
    assert.ok(!JSON.stringify(parse(`[${label}](https://a.example)`)).includes(`"children":["${label}"]`), label);
});

test("a link whose words look like another address shows the real one", () => {
  expectDrawn({
    "[bank.example](https://evil.example/x)": "<a https://evil.example/x>bank.example</a> (evil.example)",
    "[see https://bank.example/x](https://b.example)":
      "<a https://b.example>see https://bank.example/x</a> (b.example)",
    "[bаnk.example](https://bank.example)": "<a https://bank.example>bаnk.example</a> (bank.example)",
    "[bank。example](https://evil.example)": "<a https://evil.example>bank。example</a> (evil.example)",
    "[10.0.0.1](https://evil.example)": "<a https://evil.example>10.0.0.1</a> (evil.example)",
    "[ann@a.example](mailto:eve@b.example)": "<a mailto:eve@b.example>ann@a.example</a> (eve@b.example)",
    "[**bank**.example](https://evil.example)": "<a https://evil.example><b>bank</b>.example</a> (evil.example)",
    "https://bank.example@evil.example/":
      "<a https://bank.example@evil.example/>https://bank.example@evil.example/</a> (evil.example)",
  });
  for (const label of ["here", "www.a.example", "A.example.", "v1.2", "Ann: hi", "https://a.example"])
    assert.ok(!drawn(`[${label}](https://a.example/x)`).includes("(a.example)"), label);
});

test("links keep their underscores and stars, and lose those around them", () => {
  expectDrawn({
    "https://a.example/x_y_*z*q": "<a https://a.example/x_y_*z*q>https://a.example/x_y_*z*q</a>",
    "**https://a.example/x_y**": "<b><a https://a.example/x_y>https://a.example/x_y</a></b>",
    "||https://a.example||": "<spoiler><a https://a.example>https://a.example</a></spoiler>",
  });
});

test("an emoji has a name between colons", () => {
  expectDrawn({
    ":smile: (:tada::+1:)": "<emoji smile> (<emoji tada><emoji +1>)",
    "**:smile:**": "<b><emoji smile></b>",
  });
  expectAsTyped("10:30:45", "std::io::x", "a:b:c", ":Smile: :smile");
});

test("a spoiler has the number of its place", () => {
  const [paragraph] = parse("||a|| ||b||");
  assert.deepEqual(
    paragraph.children.filter((node) => node.kind).map((node) => node.index),
    [0, 1],
  );
});

test("all that was typed is shown, whatever is wrong with it", () => {
  const text = "*[a](`b` **||~~[]() https://a.example/* :x: \\* > - ";
  const shown = JSON.stringify(parse(text));
  for (const word of ["[a](", "b", "**||~~", "https://a.example/", "x"]) assert.ok(shown.includes(word), word);
});

/** @param {any} tree @returns {number} */
const depthOf = (tree) =>
  typeof tree === "string" ? 0 : 1 + Math.max(0, ...partsOf(tree).map((part) => depthOf(part)));
/** @param {any} tree @returns {number} */
const countOf = (tree) =>
  1 + (typeof tree === "string" ? 0 : partsOf(tree).reduce((sum, part) => sum + countOf(part), 0));
const partsOf = (tree) => tree.children ?? tree.blocks ?? tree.items ?? [];

test("depth and nodes have bounds, and what is beyond them is text", () => {
  const quote = `${"> ".repeat(400)}||_**~~*a*~~**_||`;
  const list = Array.from({ length: 60 }, (_, at) => `${"  ".repeat(at)}- a`).join("\n");
  for (const text of [quote, list, "> ".repeat(6) + "||_**~~*a*~~**_||"])
    assert.ok(Math.max(...parse(text).map(depthOf)) <= 2 * MAX_DEPTH + 2, text);
  for (const piece of [
    "`a` ",
    "*a* ",
    "- a\n",
    "> a\n\n",
    "[a](http://b) ",
    ":a: ",
    "```a```",
    "||a|| ",
    "a\n\n",
    "- > a\n",
  ]) {
    const nodes = parse(piece.repeat(3000)).reduce((sum, block) => sum + countOf(block), 0);
    assert.ok(nodes <= MAX_NODES && nodes > MAX_NODES / 3, `${piece}: ${nodes}`);
  }
});

test("a message of plain words is told from one with markup", () => {
  for (const text of ["hello", "it's 5 - 3, isn't it? <b> (yes) 🎂", "שלום"]) assert.ok(isPlain(text), text);
  for (const text of ["a\nb", "*a*", "_a_", "~~a~~", "||a||", "`a`", "[a](b)", ":a:", "- a", "1. a", "> a", "\\*"])
    assert.ok(!isPlain(text), text);
  for (const text of ["https://a.example", "WWW.a.example", "a@b.example"]) assert.ok(!isPlain(text), text);
});
