import { html } from "../html.js";

/** @typedef {import("../room/room.js").Room} Room */

/** What a person should know, though there is nothing they need do. The place is always there, so that it is read aloud. @param {{room: Room}} props */
export function Notices({ room }) {
  const { posts, recovery } = room;
  const dismiss = () => (recovery.missingAfter.value = 0);
  return html`
    <div class="notices" role="status">
      ${posts.savingIsBehind.value && html`<p class="notice">Saving is behind. Everybody has heard you; it is kept as soon as possible.</p>`}
      ${
        recovery.missingAfter.value > 0 &&
        html`
        <p class="notice">
          <span>Not everything said while you were away is loaded. Scroll up to load it.</span>
          <button type="button" onClick=${dismiss}>Dismiss</button>
        </p>
      `
      }
    </div>
  `;
}
