import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { html } from "../../html.js";
import { account } from "../../me.js";
import { cleanHandle } from "../account/form.js";
import { Close } from "../icons.js";

/** @typedef {import("../../messages.js").Companion} Companion */

const LIST = "people-found";
const MOST_FOUND = 6;
const HANDLE = /^[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?$/;
/** Keys that end a handle. */
const ENDS = ["Enter", ",", " ", "Tab"];

/**
 * Draws a field for people: their handles are typed, or chosen of those that are known.
 *
 * @param {object} props
 * @param {import("@preact/signals").Signal<string[]>} props.chosen handles
 * @param {Companion[]} props.known
 * @param {string} props.label
 * @param {string} [props.hint]
 * @param {string} [props.problem]
 * @param {boolean} [props.autofocus]
 */
export function PeopleField({ chosen, known, label, hint = "", problem = "", autofocus }) {
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const typed = useSignal("");
  const active = useSignal(-1);
  const found = findPeople(known, typed.value, chosen.value);
  const add = (/** @type {string} */ handle) => {
    if (!chosen.peek().includes(handle)) chosen.value = [...chosen.peek(), handle];
    if (field.current) field.current.value = ""; // at once: the next key begins the next handle
    typed.value = "";
    active.value = -1;
  };
  const addTyped = () => {
    const handle = found[active.peek()]?.handle ?? cleanHandle(typed.peek());
    if (!HANDLE.test(handle)) return false;
    add(handle);
    return true;
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const { key, isComposing } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[/** @type {"ArrowUp"} */ (key)];
    if (step && found.length) {
      event.preventDefault();
      active.value = (active.peek() + step + found.length) % found.length;
    } else if (ENDS.includes(key) && !isComposing && typed.peek().trim()) {
      if (addTyped() || key !== "Tab") event.preventDefault();
    } else if (key === "Backspace" && !typed.peek()) chosen.value = chosen.peek().slice(0, -1);
  };
  return html`
    <div class="field people-field">
      <label for="people">${label}</label>
      <ul class="chosen" aria-label="Chosen">
        ${chosen.value.map((handle) => html`<${Chip} key=${handle} handle=${handle} chosen=${chosen} />`)}
      </ul>
      <input
        id="people"
        ref=${field}
        type="text"
        role="combobox"
        aria-expanded=${found.length > 0}
        aria-controls=${LIST}
        aria-autocomplete="list"
        aria-activedescendant=${found[active.value] && `${LIST}-${active.value}`}
        aria-describedby="people-about"
        aria-invalid=${problem !== ""}
        autocomplete="off"
        autocapitalize="none"
        spellcheck=${false}
        autofocus=${autofocus}
        onInput=${(/** @type {any} */ { target }) => ((typed.value = target.value), (active.value = -1))}
        onKeyDown=${onKeyDown}
        onBlur=${addTyped}
      />
      <ul id=${LIST} class="completion" role="listbox" aria-label="People" hidden=${!found.length}>
        ${found.map(
          ({ handle, name }, index) => html`
            <li
              key=${handle}
              id=${`${LIST}-${index}`}
              class=${index === active.value ? "found active" : "found"}
              role="option"
              aria-selected=${index === active.value}
              onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()}
              onClick=${() => add(handle)}
            >
              <bdi class="name">${name}</bdi><span class="handle">@${handle}</span>
            </li>
          `,
        )}
      </ul>
      <p id="people-about" class=${problem ? "problem" : "hint"} role=${problem ? "alert" : undefined}>${problem || hint}</p>
    </div>
  `;
}

/** @param {{handle: string, chosen: import("@preact/signals").Signal<string[]>}} props */
function Chip({ handle, chosen }) {
  const remove = () => {
    chosen.value = chosen.peek().filter((each) => each !== handle);
    document.getElementById("people")?.focus(); // the pressed button goes away
  };
  return html`
    <li>
      <bdi>@${handle}</bdi>
      <button type="button" aria-label=${`Remove @${handle}`} onClick=${remove}><${Close} /></button>
    </li>
  `;
}

/** @param {Companion[]} known @param {string} typed @param {string[]} chosen */
function findPeople(known, typed, chosen) {
  const wanted = typed.trim().replace(/^@/, "").toLowerCase();
  if (!wanted) return [];
  const isFound = (/** @type {Companion} */ { id, handle, name }) =>
    handle &&
    id !== account.peek()?.id &&
    !chosen.includes(handle) &&
    (handle.startsWith(wanted) || name.toLowerCase().includes(wanted));
  return known.filter(isFound).slice(0, MOST_FOUND);
}
