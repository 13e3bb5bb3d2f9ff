/**
 * What is typed while something opens belongs to what opens, and not to what has the focus until then: a password that
 * is typed before its field is there would be said in the room.
 */

import { insertText } from "../browser/focus.js";
import { isComposing, isShortcut } from "../browser/keys.js";
import { ofTab } from "../browser/web-storage.js";
import { focusForWords } from "./composer/focus.js";

/** @typedef {{key: string, shiftKey: boolean}} Press */

/** Besides printable keys. */
const HELD = ["Enter", "Tab", "Backspace"];
/** Where the tab keeps the words for its next page: who signs in has the page loaded anew. */
const TYPED = "chatter:typed";
/** What presses a button. */
const PRESSES = ["Enter", " "];

/** What holds keys now. @type {HeldKeys | null} */
let present = null;

/** Holds what is typed from now on, until it is told where to. What is held already goes along. */
export function holdKeys() {
  present = new HeldKeys(present?.end());
  return present;
}

/** Gives the words back that were typed while the page before this one was left. */
export function giveBackTyped() {
  giveBack(ofTab.read(TYPED));
  ofTab.write(TYPED, "");
}

/** Types what is held where the focus is now: what was waited for has opened. */
export function typeHeldKeys() {
  present?.type();
}

class HeldKeys {
  #presses;
  /** What had the focus when this began. */
  #origin = document.activeElement;
  #listening = new AbortController();

  /** @param {Press[]} [presses] */
  constructor(presses = []) {
    this.#presses = presses;
    const options = { capture: true, signal: this.#listening.signal };
    addEventListener("keydown", (event) => this.#take(event), options);
    addEventListener("paste", (event) => this.#takePaste(event), options);
    addEventListener("pointerdown", () => this.end(), options); // the person goes elsewhere
    addEventListener("pagehide", () => ofTab.write(TYPED, textOf(this.end())), options);
  }

  /** Types all: in a field that is empty, or in a form, with the keys that send it. A draft is not sent along unseen. */
  type() {
    if (this.#isOver()) return;
    const presses = this.end();
    if (!presses.length) return;
    focusForWords();
    const field = document.activeElement;
    if (field instanceof HTMLTextAreaElement && field.value) insertText(`\n${textOf(presses)}`);
    else for (const press of presses) replay(press);
  }

  /** Gives the words back to the field that has the focus: what was waited for does not come, and nothing is sent. */
  giveBack() {
    if (!this.#isOver()) giveBack(textOf(this.end()));
  }

  /** Returns what was held, and holds no more. */
  end() {
    this.#listening.abort();
    if (present === this) present = null;
    return this.#presses.splice(0);
  }

  #isOver() {
    return present !== this;
  }

  /** @param {KeyboardEvent} event */
  #take(event) {
    const { key, shiftKey } = event;
    if (key === "Escape") this.end(); // the person goes elsewhere
    const isHeld = HELD.includes(key) || ([...key].length === 1 && !isShortcut(event));
    if (!isHeld || isComposing(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!this.#isRepeat(key)) this.#presses.push({ key, shiftKey });
  }

  /** Whether what has opened something is pressed again. @param {string} key */
  #isRepeat(key) {
    return PRESSES.includes(key) && !this.#presses.length && document.activeElement === this.#origin;
  }

  /** @param {ClipboardEvent} event */
  #takePaste(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const text = event.clipboardData?.getData("text") ?? "";
    if (text) this.#presses.push({ key: text, shiftKey: false });
  }
}

/** @param {string} text */
function giveBack(text) {
  if (!text) return;
  focusForWords();
  insertText(text);
}

/** @param {Press[]} presses */
function textOf(presses) {
  let text = "";
  for (const { key } of presses) {
    if (key === "Backspace") text = [...text].slice(0, -1).join("");
    else if (key !== "Tab") text += key === "Enter" ? "\n" : key;
  }
  return text.trimEnd();
}

/** Does what a key does. @param {Press} press */
function replay({ key, shiftKey }) {
  const target = document.activeElement ?? document.body;
  const event = new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true });
  if (!target.dispatchEvent(event)) return;
  const field = document.activeElement; // the page may have moved it
  if (key === "Tab") goOn(shiftKey ? -1 : 1);
  else if (key === "Enter") enter(field);
  else if (key === "Backspace") document.execCommand("delete");
  else insertText(key);
}

/** @param {Element | null} field */
function enter(field) {
  if (field instanceof HTMLTextAreaElement) insertText("\n");
  else if (field instanceof HTMLInputElement) field.form?.requestSubmit();
  else if (field instanceof HTMLElement && field !== document.body) field.click();
}

/** Moves the focus to the next field or button of the dialog. @param {number} step */
function goOn(step) {
  const dialog = document.querySelector("dialog:modal:focus-within");
  const stops = /** @type {HTMLElement[]} */ ([
    ...(dialog?.querySelectorAll(":is(input, select, textarea, button, a[href]):not(:disabled, [tabindex='-1'])") ??
      []),
  ]).filter((stop) => stop.getClientRects().length > 0);
  const at = stops.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  stops[(at + step + stops.length) % stops.length]?.focus();
}
