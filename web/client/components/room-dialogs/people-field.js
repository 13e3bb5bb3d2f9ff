import { useSignal, useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { isComposing } from "../../browser/keys.js";
import { html } from "../../html.js";
import { account } from "../../me.js";
import { cleanHandle } from "../account/form.js";
import { Close } from "../icons.js";

/** @typedef {import("../../messages.js").Companion} Companion */

const LIST = "people-found";
const MOST_FOUND = 6;
const HANDLE = /^[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?$/;
/** Keys that take who is suggested. */
const TAKES = ["Enter", "Tab"];
/** Keys that end a handle. */
const ENDS = [...TAKES, ",", " "];
/** What stands between handles, also where they are pasted or the keyboard of a phone tells no keys. */
const BETWEEN = /[\s,;]+/;

/**
 * Holds who is chosen in a field for people, what is typed there besides, and what is wrong with it.
 *
 * `read` returns the handles; null where something is typed that is none, which it says. A problem stands until the person
 * changes something.
 */
export function usePeople() {
  const chosen = useSignal(/** @type {string[]} */ ([]));
  const typed = useSignal("");
  const problem = useSignal("");
  useSignalEffect(() => {
    void [chosen.value, typed.value];
    problem.value = "";
  });
  const read = () => {
    const rest = typed.peek().trim();
    problem.value = rest && `“${rest}” is no handle. Handles look like @bo.`;
    return rest ? null : chosen.peek();
  };
  return { chosen, typed, problem, read };
}

/**
 * Draws a field for people: their handles are typed, pasted, or chosen of those that are known. Enter and Tab take who is
 * suggested first, unless what is typed is the handle of somebody known. A comma and a blank take what is typed.
 *
 * @param {object} props
 * @param {ReturnType<typeof usePeople>} props.people
 * @param {Companion[]} props.known
 * @param {(id: number) => boolean | undefined} [props.isLeftOut] whether somebody is not suggested; may read a signal
 * @param {string} props.label
 * @param {string} [props.hint]
 * @param {boolean} [props.autofocus]
 */
export function PeopleField({ people, known, isLeftOut = () => false, label, hint = "", autofocus }) {
  const { chosen, typed, read } = people;
  const problem = people.problem.value;
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const pointed = useSignal(/** @type {number | null} */ (null));
  const wanted = cleanHandle(typed.value);
  const isOut = (/** @type {Companion} */ { id, handle }) => chosen.value.includes(handle) || isLeftOut(id);
  const found = findPeople(known, wanted, isOut);
  const isWhole = known.some(({ handle }) => handle === wanted) && found[0]?.handle !== wanted;
  const active = pointed.value ?? (isWhole ? -1 : 0);
  const type = (/** @type {string} */ text) => {
    if (field.current) field.current.value = text; // at once: the next key begins the next handle
    typed.value = text;
    pointed.value = null;
  };
  const add = (/** @type {string[]} */ handles, rest = "") => {
    chosen.value = [...new Set([...chosen.peek(), ...handles])];
    type(rest);
  };
  /** Adds the handles among the words, and leaves the others in the field. */
  const addTyped = () => {
    const words = typed.peek().split(BETWEEN).filter(Boolean);
    const handles = words.filter(isHandle).map(cleanHandle);
    if (handles.length) add(handles, words.filter((word) => !isHandle(word)).join(" "));
    return handles.length > 0;
  };
  const onInput = (/** @type {any} */ { target }) => {
    typed.value = target.value;
    pointed.value = null;
    if (BETWEEN.test(target.value.trimStart())) addTyped();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const { key, shiftKey } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[/** @type {"ArrowUp"} */ (key)];
    if (step && found.length) {
      event.preventDefault();
      pointed.value = (Math.max(active, step < 0 ? 0 : -1) + step + found.length) % found.length;
    } else if (ENDS.includes(key) && !isComposing(event) && typed.peek().trim()) {
      const suggested = TAKES.includes(key) && !shiftKey ? found[active] : undefined;
      if (suggested) add([suggested.handle]);
      const isTaken = suggested !== undefined || addTyped();
      if (key === "Enter" && !isTaken) read();
      if (isTaken || key !== "Tab") event.preventDefault();
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
        aria-activedescendant=${found[active] && `${LIST}-${active}`}
        aria-describedby="people-about"
        aria-invalid=${problem !== ""}
        autocomplete="off"
        autocapitalize="none"
        spellcheck=${false}
        autofocus=${autofocus}
        onInput=${onInput}
        onKeyDown=${onKeyDown}
        onBlur=${addTyped}
      />
      <ul id=${LIST} class="completion" role="listbox" aria-label="People" hidden=${!found.length}>
        ${found.map(
          ({ handle, name }, index) => html`
            <li
              key=${handle}
              id=${`${LIST}-${index}`}
              class=${index === active ? "found active" : "found"}
              role="option"
              aria-selected=${index === active}
              onPointerDown=${(/** @type {Event} */ event) => event.preventDefault()}
              onClick=${() => add([handle])}
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

/** @param {string} word */
function isHandle(word) {
  return HANDLE.test(cleanHandle(word));
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

/**
 * Returns whose handle begins so, the one that is all of it first, and then whose name has it.
 *
 * @param {Companion[]} known
 * @param {string} wanted
 * @param {(person: Companion) => boolean | undefined} isOut
 */
function findPeople(known, wanted, isOut) {
  if (!wanted) return [];
  const rankOf = (/** @type {Companion} */ { handle, name }) => {
    if (handle.startsWith(wanted)) return handle === wanted ? 0 : 1;
    return name.toLowerCase().includes(wanted) ? 2 : 3;
  };
  const isFound = (/** @type {Companion} */ person) =>
    person.handle && person.id !== account.peek()?.id && !isOut(person) && rankOf(person) < 3;
  return known
    .filter(isFound)
    .toSorted((a, b) => rankOf(a) - rankOf(b))
    .slice(0, MOST_FOUND);
}
