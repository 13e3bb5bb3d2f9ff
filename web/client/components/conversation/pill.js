import { html } from "../../html.js";
import { Down } from "../icons.js";

/** @typedef {import("./reading.js").Reading} Reading */

/**
 * Draws the button that leads to the newest messages, while they are out of sight.
 *
 * @typedef {object} PillProps
 * @property {Reading} reading
 * @property {import("@preact/signals").ReadonlySignal<number>} unread
 * @property {boolean} isLive
 * @property {() => void} act
 *
 * @param {PillProps} props
 */
export function Pill({ reading, unread, isLive, act }) {
  const count = unread.value;
  if (isLive && (reading.atBottom.value || (!count && !reading.isFar.value))) return null;
  const words = count ? `${count} new ${count === 1 ? "message" : "messages"}` : "Newest messages";
  return html`
    <button class=${count ? "pill news" : "pill"} type="button" onClick=${act}>
      <${Down} /><span class="words">${words}</span>
    </button>
  `;
}
