import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { LIMITS } from "../messages.js";
import { name } from "../me.js";
import { clean, countCharacters } from "../text.js";
import { Send } from "./icons.js";

/** @typedef {import("../room/room.js").Room} Room */

/** From this length on the composer shows how many characters are left. */
const COUNT_FROM = LIMITS.message - 400;

/**
 * Draws the form for a message. The text field is uncontrolled, so that input methods are not disturbed.
 *
 * @param {{room: Room}} props
 */
export function Composer({ room }) {
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const used = useSignal(countCharacters(clean(room.draft)));
  useEffect(() => {
    // The dialog that asks for a name comes first. When closed, it would return the focus to a field that takes no
    // letters (Chromium).
    if (name.peek()) focusComposer();
  }, []);

  const onInput = () => {
    room.draft = area.current?.value ?? "";
    used.value = countCharacters(clean(room.draft));
    if (used.value) room.notifyTyping();
    grow(area.current);
  };
  const send = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!isSendable(used.value) || !area.current) return;
    room.post(clean(room.draft));
    area.current.value = "";
    onInput();
    area.current.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") area.current?.blur();
    if (event.key === "Enter" && !event.shiftKey && !isComposing(event)) send(event);
  };

  return html`
    <form class="composer" onSubmit=${send}>
      <label class="sr-only" for="composer">Message #${room.slug}</label>
      <textarea
        id="composer"
        ref=${area}
        rows="1"
        placeholder=${`Message #${room.slug}`}
        enterkeyhint="send"
        dir="auto"
        autocomplete="off"
        aria-describedby="left"
        defaultValue=${room.draft}
        onInput=${onInput}
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
  return left < 0 ? `${-left} too many` : `${left} left`;
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

/** Focuses the text field, except on a phone, where the keyboard covers the screen. */
export function focusComposer() {
  if (matchMedia("(hover: hover) and (pointer: fine)").matches) document.getElementById("composer")?.focus();
}

/** Fits the height to the text in browsers without `field-sizing`. @param {HTMLTextAreaElement | null} area */
function grow(area) {
  if (!area || CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}
