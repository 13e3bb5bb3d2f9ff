import { useSignal, useSignalEffect } from "@preact/signals";
import { insertText } from "../../browser/focus.js";
import { isComposing } from "../../browser/keys.js";
import { html } from "../../html.js";
import { loadedForMembers } from "../for-members.js";
import { emojiSource } from "./emoji-source.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {{current: HTMLTextAreaElement | null}} Area */
/** @typedef {{name: string, emoji?: string, hint?: string, insert: string}} Found */

/**
 * @typedef {object} Source what is completed
 * @property {string} label
 * @property {(text: string) => string} begun returns what is begun at the end of a text; empty if nothing is
 * @property {(room: Room) => Promise<unknown> | undefined} load begins to load what it needs, if that is not there
 * @property {(begun: string, room: Room) => Found[]} find
 */

const LIST = "completion";

/**
 * Completes names of emoji and of people in a text field: a list above it, whose keys go before the field's own.
 *
 * The list changes with each letter at once and not with the next frame: a key that follows belongs to it.
 *
 * @param {Area} area
 * @param {import("@preact/signals").ReadonlySignal<Room>} room a change of it closes the list
 */
export function useCompletion(area, room) {
  const found = useSignal(/** @type {Found[]} */ ([]));
  const label = useSignal("");
  const active = useSignal(0);
  const refused = useSignal(""); // the name whose list the person has closed: what it is of, and where it begins

  const hide = () => (found.value = []);
  const close = () => {
    hide();
    refused.value = "";
  };
  const update = () => {
    const { source, begun, start } = begunAt(area);
    const name = source ? `${source.label} ${start}` : "";
    if (name !== refused.peek()) refused.value = "";
    if (source) source.load(room.peek())?.then(update, hide);
    active.value = 0;
    label.value = source?.label ?? "";
    found.value = source && !refused.peek() ? source.find(begun, room.peek()) : [];
  };
  const take = (/** @type {Found | undefined} */ taken) => {
    const { start, end } = begunAt(area);
    area.current?.setSelectionRange(start, end);
    insertText(`${taken?.insert} `);
  };
  const refuse = () => {
    const { source, start } = begunAt(area);
    hide();
    refused.value = `${source?.label} ${start}`;
  };
  /** Returns whether the list took the key. */
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const act = found.peek().length && !isElsewhere(event) && KEYS[/** @type {"Tab"} */ (event.key)];
    if (!act) return false;
    event.preventDefault();
    act({ found, active, take, refuse });
    return true;
  };
  useSignalEffect(() => {
    if (room.value) close();
  });

  const isOpen = found.value.length > 0;
  const field = {
    onKeyUp: (/** @type {KeyboardEvent} */ { key }) => MOVES.has(key) && update(),
    onClick: update,
    onBlur: hide,
    "aria-autocomplete": "list",
    "aria-controls": isOpen ? LIST : undefined,
    "aria-activedescendant": isOpen ? `${LIST}-${active.value}` : undefined,
  };
  const shown = { label: label.value, found: found.value, active: active.value, take };
  const list = isOpen && html`<${List} ...${shown} />`;
  return { update, close, onKeyDown, field, list };
}

/** Keys that move the caret. */
const MOVES = new Set(["ArrowLeft", "ArrowRight", "Home", "End"]);

/** What the keys do while the list is open. */
const KEYS = {
  ArrowDown: (/** @type {any} */ { found, active }) => (active.value = (active.value + 1) % found.value.length),
  ArrowUp: (/** @type {any} */ { found, active }) =>
    (active.value = (active.value + found.value.length - 1) % found.value.length),
  Enter: (/** @type {any} */ { found, active, take }) => take(found.value[active.value]),
  Tab: (/** @type {any} */ { found, active, take }) => take(found.value[active.value]),
  Escape: (/** @type {any} */ { refuse }) => refuse(),
};

/** Whether a key has another meaning, such as a line break, or an input method takes it. @param {KeyboardEvent} event */
function isElsewhere(event) {
  return event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || isComposing(event);
}

/** Returns what is begun before the caret, where that is, and who completes it. @param {Area} area */
function begunAt({ current }) {
  const end = current?.selectionStart ?? 0;
  const before = current && end === current.selectionEnd ? current.value.slice(0, end) : "";
  const people = loadedForMembers()?.peopleSource;
  const source = [emojiSource, ...(people ? [people] : [])].find((each) => each.begun(before));
  const begun = source?.begun(before) ?? "";
  return { source, begun, start: end - begun.length, end };
}

/** @param {{label: string, found: Found[], active: number, take: (found: Found) => void}} props */
function List({ label, found, active, take }) {
  return html`
    <ul id=${LIST} class="completion" role="listbox" aria-label=${label}>
      ${found.map(
        (each, index) => html`
          <li
            key=${each.insert}
            id=${`${LIST}-${index}`}
            class=${index === active ? "found active" : "found"}
            role="option"
            aria-selected=${index === active}
            ref=${(/** @type {Element | null} */ row) => index === active && row?.scrollIntoView({ block: "nearest" })}
            onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()}
            onClick=${() => take(each)}
          >
            ${each.emoji && html`<span aria-hidden="true">${each.emoji}</span>`}<bdi class="name">${each.name}</bdi>
            ${each.hint && html`<span class="handle">${each.hint}</span>`}
          </li>
        `,
      )}
    </ul>
  `;
}
