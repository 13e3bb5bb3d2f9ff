import { useSignal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { showPopover } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { loadEmoji } from "../../text/emoji.js";
import { moveAmongEmoji } from "./emoji-keys.js";

/** @typedef {import("../../text/emoji.js").Emoji} Emoji */
/** @typedef {{emoji: string, name: string}} Pointed what the pointer or the focus is on */

/** Space between the picker and its button, and to the edges of the page. */
const SPACE_PX = 8;

/**
 * Opens the picker above a button, until an emoji is picked or the reader leaves it.
 *
 * @param {HTMLElement} anchor
 * @param {(emoji: string) => void} onPick
 */
export function openPicker(anchor, onPick) {
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
  place(popover, anchor);
  // On a phone the keyboard would cover the emoji.
  if (matchMedia("(hover: hover) and (pointer: fine)").matches) popover.querySelector("input")?.focus();
}

/** @param {HTMLElement} popover @param {HTMLElement} anchor */
function place(popover, anchor) {
  const { top, right } = anchor.getBoundingClientRect();
  const most = innerWidth - popover.offsetWidth - SPACE_PX;
  const highest = innerHeight - popover.offsetHeight - SPACE_PX;
  popover.style.left = `${Math.max(SPACE_PX, Math.min(right - popover.offsetWidth, most))}px`;
  popover.style.bottom = `${Math.max(SPACE_PX, Math.min(innerHeight - top + SPACE_PX, highest))}px`;
}

/** @param {{pick: (emoji: string) => void}} props */
function Picker({ pick }) {
  const all = useSignal(/** @type {Emoji[]} */ ([]));
  const problem = useSignal("");
  const typed = useSignal("");
  const pointed = useSignal(/** @type {Pointed | null} */ (null));
  useEffect(() => {
    loadEmoji().then(
      (loaded) => (all.value = loaded),
      () => (problem.value = "The emoji could not be loaded."),
    );
  }, []);
  const groups = useMemo(() => grouped(search(all.value, typed.value)), [all.value, typed.value]);
  const [first] = groups.values().next().value ?? [];
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const isInField = event.target instanceof HTMLInputElement;
    if (isInField && event.key === "Enter" && first && !event.isComposing) {
      event.preventDefault(); // the focus is in the composer then, where Enter would break the line
      pick(first.emoji);
    } else moveAmongEmoji(event);
  };
  return html`
    <div class="emoji-inside" onKeyDown=${onKeyDown}>
      <input
        type="search"
        placeholder="Search emoji"
        aria-label="Search emoji"
        autocomplete="off"
        onInput=${(/** @type {any} */ event) => (typed.value = event.target.value)}
      />
      <${Grid} groups=${groups} first=${first} pick=${pick} pointed=${pointed} />
      <p class="hint" role="status">${problem.value || hint(all.value, first, pointed.value)}</p>
    </div>
  `;
}

/** @param {{groups: Map<string, Emoji[]>, first?: Emoji, pick: (emoji: string) => void, pointed: any}} props */
function Grid({ groups, first, pick, pointed }) {
  const onClick = (/** @type {any} */ { target }) => {
    const { emoji } = target.closest("button")?.dataset ?? {};
    if (emoji) pick(emoji);
  };
  const point = (/** @type {any} */ { target }) => (pointed.value = target.closest("button")?.dataset ?? null);
  // Drawn again only when others are found: there are two thousand.
  return useMemo(
    () => html`
      <div class="emoji-grid" onClick=${onClick} onMouseOver=${point} onFocusIn=${point}>
        ${[...groups].map(
          ([category, list]) => html`
            <section key=${category} aria-label=${category}>
              <h3>${category}</h3>
              <div>${list.map((each) => html`<${Choice} key=${each.emoji} ...${each} isFirst=${each === first} />`)}</div>
            </section>
          `,
        )}
      </div>
    `,
    [groups],
  );
}

/** @param {Emoji & {isFirst: boolean}} props */
function Choice({ emoji, names, description, isFirst }) {
  const tabindex = isFirst ? 0 : -1;
  return html`
    <button type="button" tabindex=${tabindex} aria-label=${description} data-emoji=${emoji} data-name=${names[0]}>
      ${emoji}
    </button>
  `;
}

/** @param {Emoji[]} all @param {Emoji | undefined} first @param {Pointed | null} pointed */
function hint(all, first, pointed) {
  if (!all.length) return "Loading…";
  if (!first) return "No emoji has this name.";
  return pointed ? `${pointed.emoji} :${pointed.name}:` : "";
}

/** Finds the emoji that have all typed words in their names. @param {Emoji[]} all @param {string} typed */
function search(all, typed) {
  const words = typed.toLowerCase().split(/[\s:_]+/);
  return all.filter(({ description, names, tags }) => {
    const text = `${description} ${names.join(" ")} ${tags.join(" ")}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** @param {Emoji[]} list @returns {Map<string, Emoji[]>} by category */
function grouped(list) {
  /** @type {Map<string, Emoji[]>} */
  const groups = new Map();
  for (const each of list) groups.set(each.category, [...(groups.get(each.category) ?? []), each]);
  return groups;
}
