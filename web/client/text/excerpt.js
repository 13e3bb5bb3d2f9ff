/** Tells a message in one line, for a quote of it: without markup, and without what a spoiler hides. */

import { emojiByName } from "./emoji.js";
import { isPlain, parse } from "./markdown.js";

/** @typedef {import("./markdown.js").Block} Block */
/** @typedef {import("./markdown.js").Inline} Inline */

const LONGEST = 120;
const HIDDEN = "▒▒▒▒▒";

/** @param {string} message @returns {string} at most 120 characters */
export function excerptOf(message) {
  const text = isPlain(message) ? message : parse(message).map(wordsOf).join(" "); // all of it: a spoiler may end late
  const characters = [...text.replace(/\s+/g, " ").trim()];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : characters.join("");
}

/** @param {Block} block @returns {string} */
function wordsOf(block) {
  switch (block.kind) {
    case "paragraph":
      return block.children.map(textOf).join("");
    case "quote":
      return block.blocks.map(wordsOf).join(" ");
    case "list":
      return block.items.flatMap(({ blocks }) => blocks.map(wordsOf)).join(", ");
    case "fence":
      return block.text;
  }
}

/** @param {Inline} node @returns {string} */
function textOf(node) {
  if (typeof node === "string") return node;
  if (node.kind === "code" || node.kind === "mention") return node.text;
  if (node.kind === "emoji") return emojiByName.value?.get(node.name) ?? `:${node.name}:`;
  return node.kind === "spoiler" ? HIDDEN : node.children.map(textOf).join("");
}
