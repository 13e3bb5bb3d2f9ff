/**
 * A small Markdown: a message as typed becomes a tree of values, which components/conversation/text.js draws. Never HTML.
 *
 * It has bold, italic, strike, code, fences, quotes, lists, links and spoilers, and no headings, images, tables or HTML.
 * Each step goes over the text once; depth and nodes have bounds (budget.js).
 */

import { parseBlocks } from "./blocks.js";
import { Budget } from "./budget.js";

/**
 * @typedef {string | Code | Emoji | Mention | Link | Emphasis | Spoiler} Inline
 * @typedef {{kind: "code", text: string}} Code
 * @typedef {{kind: "emoji", name: string}} Emoji
 * @typedef {{kind: "mention", handle: string, text: string}} Mention `text` is as it was typed
 * @typedef {{kind: "link", href: string, host: string, children: Inline[]}} Link `host` is the real one, if the text
 *   looks like another
 * @typedef {{kind: "strong" | "em" | "strike", children: Inline[]}} Emphasis
 * @typedef {{kind: "spoiler", index: number, children: Inline[]}} Spoiler
 *
 * @typedef {Paragraph | Quote | List | Fence} Block
 * @typedef {{kind: "paragraph", children: Inline[]}} Paragraph
 * @typedef {{kind: "quote", blocks: Block[]}} Quote
 * @typedef {{kind: "list", ordered: boolean, items: Item[]}} List
 * @typedef {{number: number, blocks: Block[]}} Item
 * @typedef {{kind: "fence", language: string, text: string}} Fence
 */

/** What any markup or link needs. */
const MARKUP = /[\n\\`*_~|[:@]|www\.|^ {0,3}(?:[>-]|\d)/i;

/** Whether a message is one paragraph of nothing but text. Most are, and need no tree. @param {string} message */
export function isPlain(message) {
  return !MARKUP.test(message);
}

/** @param {string} message @returns {Block[]} */
export function parse(message) {
  return parseBlocks(message.split("\n"), 0, new Budget());
}
