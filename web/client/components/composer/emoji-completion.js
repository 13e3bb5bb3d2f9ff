import { useSignal, useSignalEffect } from "@preact/signals";
import { html } from "../../html.js";
import { loadEmoji } from "../../text/emoji.js";
import { begunName, completeName } from "../../text/emoji-names.js";

/** @typedef {import("../../text/emoji-names.js").Named} Named */
/** @typedef {{current: HTMLTextAreaElement | null}} Area */

const LIST = "emoji-completion";

/** All emoji, once a name was begun. @type {import("gemoji").Gemoji[]} */
let all = [];

/**
 * Completes names of emoji in a text field: a list above it, whose keys go before the field's own.
 *
 * The list changes with each letter at once and not with the next frame: a key that follows belongs to it.
 *
 * @param {Area} area
 * @param {import("@preact/signals").ReadonlySignal<unknown>} room a change of it closes the list
 */
export function useEmojiCompletion(area, room) {
  const found = useSignal(/** @type {Named[]} */ ([]));
  const active = useSignal(0);
  const refused = useSignal(-1); // where the name begins whose list the person has closed

  const close = () => (found.value = []);
  const update = () => {
    const { begun, start } = nameAt(area);
    if (start !== refused.peek()) refused.value = -1;
    if (begun && !all.length) load().then(update, close);
    active.value = 0;
    found.value = begun && start !== refused.peek() ? completeName(all, begun) : [];
  };
  const take = (/** @type {Named | undefined} */ named) => {
    const { start, end } = nameAt(area);
    area.current?.setSelectionRange(start, end);
    document.execCommand("insertText", false, `${named?.emoji} `); // as if it were typed: it can be undone
  };
  /** Returns whether the list took the key. */
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const act = found.peek().length && !isElsewhere(event) && KEYS[/** @type {"Tab"} */ (event.key)];
    if (!act) return false;
    event.preventDefault();
    act({ found, active, take, refuse: () => (refused.value = nameAt(area).start), close });
    return true;
  };
  useSignalEffect(() => {
    if (room.value) close();
  });

  const isOpen = found.value.length > 0;
  const field = {
    onKeyUp: (/** @type {KeyboardEvent} */ { key }) => MOVES.has(key) && update(),
    onClick: update,
    onBlur: close,
    "aria-autocomplete": "list",
    "aria-controls": isOpen ? LIST : undefined,
    "aria-activedescendant": isOpen ? `${LIST}-${active.value}` : undefined,
  };
  const list = isOpen && html`<${List} found=${found.value} active=${active.value} take=${take} />`;
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
  Escape: (/** @type {any} */ { refuse, close }) => {
    refuse();
    close();
  },
};

/** Whether a key has another meaning, such as a line break, or an input method takes it. @param {KeyboardEvent} event */
function isElsewhere(event) {
  return event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.keyCode === 229;
}

async function load() {
  all = await loadEmoji();
}

/** Returns the name that is begun before the caret, and where it is. @param {Area} area */
function nameAt({ current }) {
  const end = current?.selectionStart ?? 0;
  const begun = current && end === current.selectionEnd ? begunName(current.value.slice(0, end)) : "";
  return { begun, start: end - begun.length, end };
}

/** @param {{found: Named[], active: number, take: (named: Named) => void}} props */
function List({ found, active, take }) {
  return html`
    <ul id=${LIST} class="completion" role="listbox" aria-label="Emoji">
      ${found.map(
        (named, index) => html`
          <li
            key=${named.name}
            id=${`${LIST}-${index}`}
            class=${index === active ? "found active" : "found"}
            role="option"
            aria-selected=${index === active}
            ref=${(/** @type {Element | null} */ row) => index === active && row?.scrollIntoView({ block: "nearest" })}
            onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()}
            onClick=${() => take(named)}
          >
            <span aria-hidden="true">${named.emoji}</span><span class="name">${named.name}</span>
          </li>
        `,
      )}
    </ul>
  `;
}
