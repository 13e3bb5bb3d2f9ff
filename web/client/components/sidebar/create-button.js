import { html } from "../../html.js";
import { Plus } from "../icons.js";
import { openCreateRoom } from "../room-dialogs/open.js";

/** Draws the button that opens the dialog for a new room. */
export function CreateButton() {
  return html`
    <button class="quiet-button create-room" type="button" aria-label="Create a room" title="Create a room" onClick=${openCreateRoom}>
      <${Plus} />
    </button>
  `;
}
