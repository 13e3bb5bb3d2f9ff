import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { ask } from "../../account/api.js";
import { isComposing } from "../../browser/keys.js";
import { html } from "../../html.js";
import { useProblem } from "./problem.js";

/** @typedef {{id: number, secret: string}} Made what was just made, as long as it is shown; without a secret nothing */

/** @type {Made} */
const NOTHING = { id: 0, secret: "" };

/**
 * Reads a list from the server, and again after each change of it.
 *
 * @template T
 * @param {string} path
 * @param {(answer: any) => T[]} itemsOf
 */
export function useList(path, itemsOf) {
  const items = useSignal(/** @type {T[] | null} */ (null));
  const { words, clear, note } = useProblem();
  const attempt = async (/** @type {() => Promise<void>} */ act) => {
    clear();
    try {
      await act();
      return true;
    } catch (refusal) {
      note(refusal);
      return false;
    }
  };
  const read = async () => void (items.value = itemsOf(await ask("GET", path)));
  useEffect(() => void attempt(read), []);
  /** Asks for a change, then reads the list, whatever became of it. Returns whether both were done. */
  const change = (/** @type {Parameters<typeof ask>} */ ...request) =>
    attempt(async () => {
      try {
        await ask(...request);
      } finally {
        await read();
      }
    });
  /** What was made last of what has a secret: it can be used until it is ended. */
  const made = useSignal(NOTHING);
  const end = async (/** @type {number} */ id) => {
    const isDone = await change("DELETE", `${path}/${id}`);
    if (isDone && id === made.peek().id) made.value = NOTHING;
  };
  const forget = () => void (items.peek() && clear()); // else it says why there is no list
  return { items, problem: words, clear: forget, read, change, end, made };
}

/**
 * Draws a list. A row that goes away leaves the focus to the list, and the last one to what is said in place of it.
 *
 * @param {{label: string, items: any[] | null, problem: any, empty: string, children: (item: any) => any}} props
 */
export function List({ label, items, problem, empty, children }) {
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const none = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    if (document.activeElement === list.current) none.current?.focus();
  }, [items]);
  return html`
    <ul class="kept" aria-label=${label} tabindex="-1" ref=${list}>
      ${items?.map((item) => html`<li key=${item.id}>${children(item)}</li>`)}
    </ul>
    ${items && !items.length && html`<p class="hint" tabindex="-1" ref=${none}>${empty}</p>`}
    ${!items && !problem && html`<p class="hint">Loading…</p>`}
    <p class="problem" role="alert">${problem}</p>
  `;
}

/** Has Escape close what a row has opened, and not the dialog. @param {() => void} close */
export function onEscape(close) {
  return (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || isComposing(event)) return;
    event.preventDefault();
    close();
  };
}

/** Draws the button that ends something. @param {{words: string, of: string, act: () => void}} props `of` says what, for screen readers */
export function EndButton({ words, of, act }) {
  const onClick = (/** @type {any} */ { currentTarget }) => {
    currentTarget.closest("ul").focus();
    act();
  };
  return html`
    <button class="link" type="button" aria-label=${`${words} ${of}`} onClick=${onClick}>${words}</button>
  `;
}
