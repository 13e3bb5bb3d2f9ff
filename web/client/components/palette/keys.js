import { createRef } from "preact";
import { showDialog } from "../../browser/overlays.js";
import { html } from "../../html.js";

/** What each key does, as the person reads it. */
const KEYS = [
  ["Ctrl K", "find or create a room"],
  ["Alt ↑ ↓", "the room above or below"],
  ["Alt Shift ↑ ↓", "the next room with something new"],
  ["↑ ↓", "move in a list, and among messages"],
  ["→", "options of a room, actions of a message"],
  ["↑", "edit your last message, from an empty field"],
  ["E", "edit the message"],
  ["R", "reply to the message"],
  ["+", "react to the message"],
  ["P", "pin the message, or unpin it"],
  ["U", "mark unread from the message on"],
  ["Delete", "delete the message"],
  ["Shift Esc", "mark all rooms as read"],
  ["Enter", "send"],
  ["Shift Enter", "a new line"],
  ["Tab", "take the emoji whose name is completed"],
  ["Esc", "close what is open, leave the field"],
  ["?", "these keys"],
];

/** @type {{current: HTMLDialogElement | null}} */
const dialog = createRef();

export function openKeys() {
  showDialog(dialog.current);
}

/** Draws the dialog that lists all keys. */
export function Keys() {
  return html`
    <dialog class="dialog keys" aria-labelledby="keys-title" ref=${dialog}>
      <h2 id="keys-title">Keys</h2>
      <dl>
        ${KEYS.map(
          ([keys = "", what]) => html`
            <div>
              <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt>
              <dd>${what}</dd>
            </div>
          `,
        )}
      </dl>
      <form class="actions" method="dialog"><button class="primary" autofocus>Close</button></form>
    </dialog>
  `;
}
