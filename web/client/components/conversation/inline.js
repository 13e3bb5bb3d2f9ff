import { useEffect } from "preact/hooks";
import { followOwnLink, isOwnLink } from "../../browser/route.js";
import { html } from "../../html.js";
import { account } from "../../me.js";
import { emojiByName, loadEmoji } from "../../text/emoji.js";
import { Spoiler } from "./spoiler.js";

/** @typedef {import("../../text/markdown.js").Inline} Node */
/** @typedef {import("../../text/markdown.js").Link} LinkNode */

/**
 * Draws what stands in a paragraph.
 *
 * @param {Node[]} nodes
 * @param {string} id of the message
 * @returns {any[]}
 */
export function drawInline(nodes, id) {
  return nodes.map((node) => (typeof node === "string" ? node : drawElement(node, id)));
}

/** @param {Exclude<Node, string>} node @param {string} id */
function drawElement(node, id) {
  switch (node.kind) {
    case "code":
      return html`<code>${node.text}</code>`;
    case "emoji":
      return html`<${Emoji} name=${node.name} />`;
    case "mention":
      return html`<${Mention} ...${node} />`;
    case "link":
      return drawLink(node, id);
    case "strong":
      return html`<strong>${drawInline(node.children, id)}</strong>`;
    case "em":
      return html`<em>${drawInline(node.children, id)}</em>`;
    case "strike":
      return html`<s>${drawInline(node.children, id)}</s>`;
    case "spoiler":
      return html`<${Spoiler} name=${`${id} spoiler ${node.index}`}>${drawInline(node.children, id)}<//>`;
  }
}

/** A link whose text looks like another address is followed by the real one. @param {LinkNode} link @param {string} id */
function drawLink({ href, host, children }, id) {
  // A mail address opens a program, and a room of this server this page.
  const isOwn = isOwnLink(href);
  const target = isOwn || /^mailto:/i.test(href) ? undefined : "_blank";
  const title = children[0] === href ? undefined : href;
  // The conversation is one stop of the Tab key; the message that has the focus lets its links have it, too.
  const link = {
    href,
    title,
    target,
    rel: "noopener noreferrer nofollow",
    tabindex: -1,
    onClick: isOwn ? followOwnLink : undefined,
  };
  return html`<a ...${link}>${drawInline(children, id)}</a>${host && html` <bdi class="real-host">(${host})</bdi>`}`;
}

/** Draws a handle. The style of its message says whether it calls anybody. @param {{handle: string, text: string}} props */
function Mention({ handle, text }) {
  const isMine = handle === account.value?.handle;
  return html`<bdi class=${isMine ? "mention mine" : "mention"}>${text}</bdi>`;
}

/** Draws the emoji of a name. A name that there is none of stays as it was typed. @param {{name: string}} props */
function Emoji({ name }) {
  const emoji = emojiByName.value?.get(name);
  useEffect(() => void loadEmoji().catch(() => {}), []);
  return emoji ? html`<span title=${`:${name}:`}>${emoji}</span>` : `:${name}:`;
}
