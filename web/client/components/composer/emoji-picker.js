import { useComputed, useSignal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { isComposing } from "../../browser/keys.js";
import { showPopover } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { loadEmoji } from "../../text/emoji.js";
import { findEmoji } from "../../text/emoji-names.js";
import { moveAmongEmoji } from "./emoji-keys.js";
import { sendsOnEnter } from "./focus.js";

/** @typedef {import("../../text/emoji.js").Emoji} Emoji */
/** @typedef {{emoji: string, name: string}} Pointed what the pointer or the focus is on */

/** Space between the picker and its button, and to the edges of the page. */
const SPACE_PX = 8;

/** A picker is at least so high, also where its message leaves less room. */
const LEAST_PX = 200;

/**
 * Opens the picker above a button, until an emoji is picked or the reader leaves it.
 *
 * @param {HTMLElement} anchor
 * @param {(emoji: string) => void} onPick
 * @param {HTMLElement | null} [message] that the emoji is for, and that stays in sight
 */
export function openPicker(anchor, onPick, message = null) {
  const popover = document.createElement("div");
  Object.assign(popover, { className: "emoji-picker", popover: "auto", role: "dialog", ariaLabel: "Emoji" });
  const pick = (/** @type {string} */ emoji) => {
    popover.hidePopover();
    onPick(emoji);
  };
  popover.addEventListener("toggle", ({ newState }) => {
    if (newState === "open") return;
    render(null, popover);
    popover.remove();
  });
  (anchor.closest("dialog") ?? document.body).append(popover); // what is beside an open dialog can not be pressed
  render(html`<${Picker} pick=${pick} />`, popover);
  showPopover(popover); // the browser gives the focus back when it is hidden
  place(popover, anchor, message);
  if (sendsOnEnter()) popover.querySelector("input")?.focus(); // on a phone the keyboard would cover the emoji
}

/**
 * Puts the picker above the button, or above or below the message, as high as there is room. On a narrow screen it has
 * an edge to itself: the lower one, unless the message is there.
 *
 * @param {HTMLElement} popover
 * @param {HTMLElement} anchor
 * @param {HTMLElement | null} message
 */
function place(popover, anchor, message) {
  const { top, bottom } = (message ?? anchor).getBoundingClientRect();
  const above = top - 2 * SPACE_PX;
  const below = innerHeight - bottom - 2 * SPACE_PX;
  const isAbove = below < popover.offsetHeight && (!message || above >= below);
  const height = Math.min(popover.offsetHeight, Math.max(isAbove ? above : below, LEAST_PX));
  const between = (/** @type {number} */ at, /** @type {number} */ most) =>
    `${Math.max(SPACE_PX, Math.min(at, most))}px`;
  const { style } = popover;
  style.height = `${height}px`;
  style.top = between(isAbove ? top - SPACE_PX - height : bottom + SPACE_PX, innerHeight - height - SPACE_PX);
  const { left, right } = anchor.getBoundingClientRect();
  const { offsetWidth: width } = popover;
  style.left = between(left < innerWidth / 2 ? left : right - width, innerWidth - width - SPACE_PX); // not over the edges
  popover.classList.toggle("at-top", message !== null && isAbove);
}

/** @param {{pick: (emoji: string) => void}} props */
function Picker({ pick }) {
  const all = useSignal(/** @type {Emoji[]} */ ([]));
  const problem = useSignal("");
  const typed = useSignal("");
  const pointed = useSignal(/** @type {Pointed | null} */ (null));
  // What Enter takes is known with each letter, and not with the next frame.
  const found = useComputed(() => (typed.value.trim() ? findEmoji(all.value, typed.value) : all.value));
  useEffect(() => {
    loadEmoji().then(
      (loaded) => (all.value = loaded),
      () => (problem.value = "The emoji could not be loaded."),
    );
  }, []);
  const groups = useMemo(() => grouped(found.value, typed.value), [found.value]);
  const [first] = found.value;
  const onInput = (/** @type {any} */ { target }) => {
    typed.value = target.value;
    pointed.value = null;
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const [best] = found.value;
    const isInField = event.target instanceof HTMLInputElement;
    if (isInField && event.key === "Enter" && best && !isComposing(event)) {
      event.preventDefault(); // the focus is in the composer then, where Enter would break the line
      pick(best.emoji);
    } else moveAmongEmoji(event);
  };
  const point = (/** @type {any} */ { target }) => (pointed.value = target.closest("button")?.dataset ?? null);
  return html`
    <div class="emoji-inside" onKeyDown=${onKeyDown} onMouseOver=${point} onFocusIn=${point}>
      <input role="searchbox" placeholder="Search emoji" aria-label="Search emoji" autocomplete="off" enterkeyhint="search" onInput=${onInput} />
      <${Grid} groups=${groups} first=${first} pick=${pick} />
      <p class="hint" role="status">
        ${problem.value || hint(all.value, first, pointed.value, sendsOnEnter())}
      </p>
    </div>
  `;
}

/** @param {{groups: Map<string, Emoji[]>, first?: Emoji, pick: (emoji: string) => void}} props */
function Grid({ groups, first, pick }) {
  const onClick = (/** @type {any} */ { target }) => {
    const { emoji } = target.closest("button")?.dataset ?? {};
    if (emoji) pick(emoji);
  };
  // Drawn again only when others are found: there are two thousand.
  return useMemo(
    () => html`
      <div class="emoji-grid" onClick=${onClick}>
        ${[...groups].map(
          ([category, list]) => html`
            <section key=${category} aria-label=${category}>
              <h2>${category}</h2>
              <div>${list.map((each) => html`<${Choice} key=${each.emoji} ...${each} isFirst=${each === first} />`)}</div>
            </section>
          `,
        )}
      </div>
    `,
    [groups],
  );
}

/** The first one is what Enter takes while the field has the focus: text.css marks it then. @param {Emoji & {isFirst: boolean}} props */
function Choice({ emoji, names, description, isFirst }) {
  const tabindex = isFirst ? 0 : -1;
  return html`
    <button type="button" class=${isFirst && "best"} tabindex=${tabindex} aria-label=${description} data-emoji=${emoji} data-name=${names[0]}>
      ${emoji}
    </button>
  `;
}

/**
 * Says what the pointer or the focus is on, or what Enter takes.
 *
 * @param {Emoji[]} all
 * @param {Emoji | undefined} first
 * @param {Pointed | null} pointed
 * @param {boolean} hasEnter there is a keyboard, whose key takes the first
 */
function hint(all, first, pointed, hasEnter) {
  if (!all.length) return "Loading…";
  if (!first) return "No emoji has this name.";
  if (pointed) return `${pointed.emoji} :${pointed.name}:`;
  return hasEnter ? `Enter takes ${first.emoji} :${first.names[0]}:` : "";
}

/**
 * Sorts all emoji by their categories. What was found stays in its order.
 *
 * @param {Emoji[]} list
 * @param {string} typed
 * @returns {Map<string, Emoji[]>}
 */
function grouped(list, typed) {
  /** @type {Map<string, Emoji[]>} */
  const groups = new Map();
  for (const each of list) {
    const group = typed.trim() ? "Found" : each.category;
    groups.set(group, [...(groups.get(group) ?? []), each]);
  }
  return groups;
}
