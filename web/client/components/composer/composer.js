import { html } from "../../html.js";
import { LIMITS } from "../../messages.js";
import { name } from "../../me.js";
import { clean } from "../../text/cleaning.js";
import { Send } from "../icons.js";
import { useDraftField } from "./draft-field.js";
import { EmojiButton } from "./emoji-button.js";
import { useEmojiCompletion } from "./emoji-completion.js";
import { focusField, sendsOnEnter } from "./focus.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @template T @typedef {import("@preact/signals").ReadonlySignal<T>} ReadonlySignal */

/** From this length on the composer shows how many characters are left. */
const COUNT_FROM = LIMITS.message - 400;

/**
 * Draws the form for messages, one for all rooms: it is never taken away under the person's fingers.
 *
 * @param {{current: ReadonlySignal<Room>}} props
 */
export function Composer({ current }) {
  const { area, used, clear, onInput } = useDraftField(current);
  const completion = useEmojiCompletion(area, current);
  const room = current.value;
  const onTyped = () => {
    onInput();
    completion.update();
  };
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!area.current || !isSendable(used.value)) return;
    if (!name.peek()) return focusField(); // the one for the name: the words wait
    current.peek().post(clean(area.current.value));
    clear();
    completion.close();
    area.current.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (completion.onKeyDown(event)) return;
    if (event.key === "Escape") area.current?.blur();
    if (isSending(event)) send(event);
  };

  return html`
    <div class="writing-field">
      <form class="composer" onSubmit=${send}>
        ${completion.list}
        <${EmojiButton} />
        <label class="sr-only" for="composer">Message #${room.slug}</label>
        <textarea
          id="composer"
          ref=${area}
          rows="1"
          placeholder=${`Message #${room.slug}`}
          enterkeyhint=${sendsOnEnter() ? "send" : "enter"}
          dir="auto"
          autocomplete="off"
          aria-describedby=${sendsOnEnter() ? "left writing-hint" : "left"}
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
          aria-label="Send"
          aria-disabled=${!isSendable(used.value)}
          onPointerDown=${keepFocus}
        >
          <${Send} />
        </button>
      </form>
      ${sendsOnEnter() && html`<${Hint} isEmpty=${!used.value} />`}
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

/** @param {number} used */
function isSendable(used) {
  return used > 0 && used <= LIMITS.message;
}

/** @param {number} used */
function remaining(used) {
  if (used < COUNT_FROM) return "";
  const left = LIMITS.message - used;
  return left < 0 ? `${-left} too many: shorten it, or send it in two` : `${left} left`;
}

/** Whether Enter was pressed to send. Ctrl or Cmd with it sends everywhere. @param {KeyboardEvent} event */
function isSending(event) {
  if (event.key !== "Enter" || isComposing(event)) return false;
  return event.ctrlKey || event.metaKey || (sendsOnEnter() && !event.shiftKey);
}

/**
 * Whether an input method takes the key: Enter then picks a word. Safari reports it by key code 229 only.
 *
 * @param {KeyboardEvent} event
 */
function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}

/**
 * Keeps the focus in the text field. Otherwise a phone's keyboard closes at each message.
 *
 * @param {PointerEvent} event
 */
function keepFocus(event) {
  event.preventDefault();
}
