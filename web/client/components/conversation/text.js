import { useMemo } from "preact/hooks";
import { html } from "../../html.js";
import { emojiByName, isEmojiAlone } from "../../text/emoji.js";
import { isPlain, parse } from "../../text/markdown.js";
import { Code } from "./code.js";
import { Fold, mayBeLong } from "./fold.js";
import { drawInline } from "./inline.js";

/** @typedef {import("../../text/markdown.js").Block} Block */
/** @typedef {import("../../text/markdown.js").Item} Item */
/** @typedef {{id: string, message: string}} TextProps */

/** Draws a message's text. Most texts are a few plain words, which need no tree. @param {TextProps} props */
export function Text({ id, message }) {
  if (!isPlain(message) || mayBeLong(message)) return html`<${Marked} id=${id} message=${message} />`;
  return html`<div class=${isEmojiAlone(message) ? "text alone" : "text"} dir="auto">${message}</div>`;
}

/** Draws a text with markup. One paragraph is the element itself. @param {TextProps} props */
function Marked({ id, message }) {
  const blocks = useMemo(() => parse(message), [message]);
  const [first] = blocks;
  if (blocks.length !== 1 || first?.kind !== "paragraph" || mayBeLong(message)) {
    return html`<div class="text">${cutAtCode(blocks).map((piece, at) => drawPiece(piece, message, `${id} ${at}`))}</div>`;
  }
  const alone = isAlone(first.children) ? "text alone" : "text";
  return html`<div class=${alone} dir="auto">${drawInline(first.children, id)}</div>`;
}

/** Cuts blocks into code and what is between: each folds by itself. @param {Block[]} blocks @returns {Block[][]} */
function cutAtCode(blocks) {
  /** @type {Block[][]} */
  const pieces = [];
  for (const block of blocks) {
    const last = pieces.at(-1);
    if (last && last[0]?.kind !== "fence" && block.kind !== "fence") last.push(block);
    else pieces.push([block]);
  }
  return pieces;
}

/** @param {Block[]} piece @param {string} message @param {string} id of the message and the piece */
function drawPiece(piece, message, id) {
  const drawn = piece.map((block, at) => drawBlock(block, `${id} ${at}`));
  if (piece[0]?.kind === "fence" || !mayBeLong(message)) return drawn;
  return html`<${Fold} key=${id} name=${`${id} fold`}>${drawn}<//>`;
}

/**
 * Draws a block with a direction of its own.
 *
 * @param {Block} block
 * @param {string} id of the message and the place in it
 * @returns {any}
 */
function drawBlock(block, id) {
  switch (block.kind) {
    case "paragraph":
      return html`<p dir="auto">${drawInline(block.children, id)}</p>`;
    case "quote":
      return html`<blockquote dir="auto">${drawBlocks(block.blocks, id)}</blockquote>`;
    case "list":
      return block.ordered
        ? html`<ol>${block.items.map((item, at) => drawItem(item, `${id} ${at}`))}</ol>`
        : html`<ul>${block.items.map((item, at) => drawItem({ ...item, number: 0 }, `${id} ${at}`))}</ul>`;
    case "fence":
      return html`<${Code} name=${id} language=${block.language} text=${block.text} />`;
  }
}

/** @param {Item} item @param {string} id */
function drawItem({ number, blocks }, id) {
  return html`<li dir="auto" value=${number || undefined}>${drawBlocks(blocks, id)}</li>`;
}

/** Draws the blocks of a quote or an item. A paragraph at their head is their own text. */
function drawBlocks(/** @type {Block[]} */ [first, ...others], /** @type {string} */ id) {
  const head = first?.kind === "paragraph" ? drawInline(first.children, id) : first && drawBlock(first, id);
  return [head, ...others.map((block, at) => drawBlock(block, `${id} ${at}`))];
}

/** Whether a paragraph is a few emoji, as they are or by their names. */
function isAlone(/** @type {import("../../text/markdown.js").Inline[]} */ nodes) {
  if (nodes.length > 16) return false;
  const texts = nodes.map((node) => {
    if (typeof node === "string") return node;
    return (node.kind === "emoji" && emojiByName.value?.get(node.name)) || "no emoji";
  });
  return isEmojiAlone(texts.join(""));
}
