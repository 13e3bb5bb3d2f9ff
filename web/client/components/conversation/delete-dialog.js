import { signal } from "@preact/signals";
import { createRef } from "preact";
import { showDialog } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { excerptOf } from "../../text/excerpt.js";
import { editIn, endEdit } from "../composer/edits.js";
import { focusComposer } from "../composer/focus.js";
import { drawNow } from "../draw-now.js";
import { neighbour } from "./message-keys.js";
import { messageAt } from "./pointing.js";

/** @typedef {Pick<import("./actions.js").Subject, "room" | "message" | "element">} Subject */

/** What the dialog asks about. */
const subject = signal(/** @type {Subject | null} */ (null));
/** @type {{current: HTMLDialogElement | null}} */
const dialog = createRef();

/** Asks once before a message is deleted. @param {Subject} asked */
export function askToDelete(asked) {
  drawNow(() => (subject.value = asked));
  showDialog(dialog.current);
}

/** Draws the question. The harmless answer has the focus. */
export function DeleteDialog() {
  const message = subject.value?.message;
  return html`
    <dialog
      class="dialog question"
      role="alertdialog"
      aria-labelledby="delete-title"
      aria-describedby="delete-what"
      ref=${dialog}
    >
      <form method="dialog">
        <h2 id="delete-title">Delete this message?</h2>
        <div id="delete-what">
          <p class="about" dir="auto">${message && excerptOf(message.message)}</p>
          <p>It goes for everybody, and nobody can bring it back.</p>
        </div>
        <div class="actions">
          <button class="plain" autofocus>Keep it</button>
          <button class="primary bad" type="button" onClick=${remove}>Delete</button>
        </div>
      </form>
    </dialog>
  `;
}

function remove() {
  const { room, message, element } = /** @type {Subject} */ (subject.peek());
  dialog.current?.close(); // which gives the focus back
  if (messageAt(document.activeElement) === element) leave(element);
  else focusComposer(); // what was pressed in the toolbar goes away
  if (editIn(room.slug)?.id === message.id) endEdit(room.slug);
  room.remove(message);
}

/** Moves the focus from a message that may leave no line to the next one. @param {HTMLElement} element */
function leave(element) {
  const next = neighbour(element, "nextNode") ?? neighbour(element, "previousNode");
  if (next) next.focus();
  else focusComposer();
}
