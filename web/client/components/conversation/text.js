import { html } from "../../html.js";
import { parseText } from "../../text.js";

/** @typedef {import("../../text.js").Part} Part */

/** Draws a message's text with its links and code. @param {{message: string}} props */
export function Text({ message }) {
  return html`<div class="text" dir="auto">${parseText(message).map(renderPart)}</div>`;
}

/** @param {Part} part */
function renderPart({ kind, text, href }) {
  switch (kind) {
    case "link":
      // The conversation is one stop of the Tab key; the message that has the focus lets its links have it, too.
      return html`<a href=${href} tabindex="-1" target=${targetOf(href)} rel="noopener noreferrer nofollow">${text}</a>`;
    case "code":
      return html`<code>${text}</code>`;
    case "block":
      return html`<pre dir="ltr"><code>${text}</code></pre>`;
    default:
      return text;
  }
}

/** A mail address opens a program, not a page. @param {string} [href] */
function targetOf(href) {
  return href?.startsWith("mailto:") ? undefined : "_blank";
}
