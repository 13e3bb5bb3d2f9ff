import { html } from "../../html.js";
import { labelOfRoom } from "../../memberships/titles.js";
import { LIMITS } from "../../messages.js";
import { name, suggestedName } from "../../me.js";
import { clean } from "../../text/cleaning.js";
import { askToDelete } from "../conversation/delete-dialog.js";
import { Check, Send } from "../icons.js";
import { askForAnotherName } from "../name-dialog.js";
import { showToast } from "../toast.js";
import { CannotWrite, SlowMode, useCannotWrite } from "./cannot-write.js";
import { useRoomDraft } from "./draft-field.js";
import { EmojiButton } from "./emoji-button.js";
import { editedMessage, editIn, editLast, focusAfterEdit, leaveEdit, saveEdit } from "./edits.js";
import { useCompletion } from "./completion.js";
import { focusField, sendsOnEnter } from "./focus.js";
import { isSendable, isSending, keepFocus, remaining } from "./sending.js";
import { Strip } from "./strip.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @template T @typedef {import("@preact/signals").ReadonlySignal<T>} ReadonlySignal */

/**
 * Draws the form for messages, one for all rooms: it is never taken away under the person's fingers.
 *
 * @param {{current: ReadonlySignal<Room>}} props
 */
export function Composer({ current }) {
  const { area, used, clear, onInput } = useRoomDraft(current);
  const completion = useCompletion(area, current);
  const room = current.value;
  const onTyped = () => {
    onInput();
    completion.update();
  };
  const { why, wait } = useCannotWrite(room);
  const isEdit = editIn(room.slug) !== undefined;
  const isWaiting = wait > 0 && !isEdit;
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!area.current || why) return;
    if (!used.value) return offerDeletion(current.peek(), area.current);
    if (!isSendable(used.value) || isWaiting) return;
    if (!name.peek()) return focusField(); // the one for the name: the words wait
    const wasEdit = editIn(current.peek().slug) !== undefined;
    finish(current.peek(), clean(area.current.value));
    completion.close();
    if (wasEdit) focusAfterEdit();
    else area.current.focus();
    if (suggestedName.peek()) askForAnotherName(); // until then it waits
  };
  const finish = (/** @type {Room} */ room, /** @type {string} */ text) => {
    if (editIn(room.slug)) return saveEdit(room, text); // and the draft is shown again
    room.post(text);
    clear();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (completion.onKeyDown(event)) return;
    if (event.key === "Escape") leave(current.peek(), area.current);
    if (isLookingBack(event) && !editIn(current.peek().slug)) lookBack(event, current.peek());
    if (isSending(event)) send(event);
  };
  const isDeletion = !used.value && deletable(room) !== undefined;

  return html`
    <div class="writing-field">
      ${why && html`<${CannotWrite} why=${why} words=${used.value ? area.current?.value : ""} />`}
      <form class="composer" onSubmit=${send} hidden=${why !== ""}>
        <${Strip} room=${room} isEmpty=${!used.value} />
        ${completion.list}
        <${EmojiButton} />
        <label class="sr-only" for="composer">Message ${labelOfRoom(room.slug)}</label>
        <textarea
          id="composer"
          ref=${area}
          rows="1"
          placeholder=${`Message ${labelOfRoom(room.slug)}`}
          enterkeyhint=${sendsOnEnter() ? "send" : "enter"}
          dir="auto"
          autocomplete="off"
          aria-describedby=${sendsOnEnter() ? "strip left writing-hint" : "strip left"}
          onInput=${onTyped}
          ...${completion.field}
          onKeyDown=${onKeyDown}
        ></textarea>
        <span id="left" class=${used.value > LIMITS.message ? "left over" : "left"} role="status">
          ${remaining(used.value)}
        </span>
        <button
          class="send"
          type="submit"
          aria-label=${isEdit ? "Save" : "Send"}
          aria-disabled=${isWaiting || (!isSendable(used.value) && !isDeletion)}
          onPointerDown=${keepFocus}
        >
          ${isEdit ? html`<${Check} />` : html`<${Send} />`}
        </button>
      </form>
      <${SlowMode} seconds=${isWaiting && !why ? wait : 0} />
      ${sendsOnEnter() && !why && html`<${Hint} isEmpty=${!used.value} />`}
    </div>
  `;
}

/** Says what the keys do, while nothing is written. Its line is always there, so that nothing jumps. @param {{isEmpty: boolean}} props */
function Hint({ isEmpty }) {
  return html`
    <p id="writing-hint" class=${isEmpty ? "writing-hint" : "writing-hint quiet"}>
      <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> breaks the line, <kbd>**bold**</kbd>${" "}
      <kbd>*italic*</kbd> <kbd>\`code\`</kbd> <kbd>:emoji:</kbd>
    </p>
  `;
}

/** Asks whether a message is to be deleted of which an edit has left nothing. @param {Room} room @param {HTMLElement} element */
function offerDeletion(room, element) {
  const message = deletable(room);
  if (message) askToDelete({ room, message, element });
}

/** Returns the message that is edited, if the person may delete it, too. Reads signals. @param {Room} room */
function deletable(room) {
  const edit = editIn(room.slug);
  const message = edit && editedMessage(room, edit);
  return message && room.mayDelete(message) ? message : undefined;
}

/** Leaves an edit, then a reply, then the field. @param {Room} room @param {HTMLElement | null} area */
function leave(room, area) {
  if (editIn(room.slug)) {
    leaveEdit(room.slug);
    focusAfterEdit();
  } else if (room.replyTarget.peek()) room.cancelReply();
  else area?.blur();
}

/**
 * Edits one's last message, or says that there is none. A key that is held down says nothing.
 *
 * @param {KeyboardEvent} event
 * @param {Room} room
 */
function lookBack(event, room) {
  if (editLast(room)) event.preventDefault();
  else if (!event.repeat) showToast("There is no message that you can edit");
}

/** Whether ArrowUp asks for one's last message: nothing is written. @param {KeyboardEvent} event */
function isLookingBack({ key, target, altKey, ctrlKey, metaKey, shiftKey }) {
  const isPlain = !altKey && !ctrlKey && !metaKey && !shiftKey;
  return key === "ArrowUp" && isPlain && /** @type {HTMLTextAreaElement} */ (target).value === "";
}
