import { html } from "../../html.js";

/** @typedef {import("../../room/room.js").Room} Room */

/**
 * Draws what the person should know and need not act on. The element is always there, so that screen readers read out
 * what appears in it.
 *
 * @param {{room: Room}} props
 */
export function Notices({ room }) {
  const { savingIsBehind } = room.posts;
  const { missingAfter } = room.recovery;
  return html`
    <div class="notices" role="status">
      ${savingIsBehind.value && html`<${SavingIsBehind} />`}
      ${missingAfter.value > 0 && html`<${NotAllLoaded} dismiss=${() => (missingAfter.value = 0)} />`}
    </div>
  `;
}

function SavingIsBehind() {
  return html`<p class="notice">Saving is behind. Everybody has heard you; it is kept as soon as possible.</p>`;
}

/** @param {{dismiss: () => void}} props */
function NotAllLoaded({ dismiss }) {
  return html`
    <p class="notice">
      <span>Not everything said while you were away is loaded. Scroll up to load it.</span>
      <button type="button" onClick=${dismiss}>Dismiss</button>
    </p>
  `;
}
