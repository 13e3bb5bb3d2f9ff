import { insertText } from "../../browser/focus.js";
import { html } from "../../html.js";
import { Smile } from "../icons.js";
import { loadPart } from "../load-part.js";

/**
 * Draws the button that opens the picker of emoji, which is loaded then.
 *
 * @param {{onPick?: (emoji: string) => void}} props
 */
export function EmojiButton({ onPick = insertIntoComposer }) {
  const open = (/** @type {any} */ { currentTarget }) =>
    loadPart(
      () => import("./emoji-picker.js"),
      ({ openPicker }) => openPicker(currentTarget, onPick),
    );
  return html`
    <button
      class="quiet-button"
      type="button"
      aria-label="Emoji"
      title="Emoji"
      aria-haspopup="dialog"
      onClick=${open}
    >
      <${Smile} />
    </button>
  `;
}

/** Inserts at the caret of the composer. @param {string} emoji */
function insertIntoComposer(emoji) {
  const area = document.getElementById("composer");
  area?.focus();
  insertText(emoji);
}
