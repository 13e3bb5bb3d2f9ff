import { html } from "../../html.js";
import { Smile } from "../icons.js";

/**
 * Draws the button that opens the picker of emoji, which is loaded then.
 *
 * @param {{onPick?: (emoji: string) => void}} props
 */
export function EmojiButton({ onPick = insertIntoComposer }) {
  const open = async (/** @type {any} */ { currentTarget }) => {
    const { openPicker } = await import("./emoji-picker.js");
    openPicker(currentTarget, onPick);
  };
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

/** Inserts at the caret of the composer, as if it were typed: it can be undone. @param {string} emoji */
function insertIntoComposer(emoji) {
  const area = document.getElementById("composer");
  area?.focus();
  document.execCommand("insertText", false, emoji);
}
