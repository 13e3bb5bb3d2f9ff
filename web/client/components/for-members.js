import { signal } from "@preact/signals";
import { html } from "../html.js";
import { drawNow } from "./draw-now.js";

/** @typedef {typeof import("./members-only.js")} MembersOnly */

/** Null until it is loaded. */
const parts = signal(/** @type {MembersOnly | null} */ (null));
/** @type {Promise<MembersOnly> | undefined} */
let loading;

/** Loads what only members need, and returns it. */
export function forMembers() {
  loading ??= import("./members-only.js").then(
    (loaded) => drawNow(() => (parts.value = loaded)), // who waits for one of them may use it at once
    (error) => {
      loading = undefined; // the next one who needs it tries again
      throw error;
    },
  );
  return loading;
}

/** Returns what only members need, if it is loaded. Reads a signal. */
export function loadedForMembers() {
  return parts.value;
}

/** Returns a component that draws one of these parts as soon as it is loaded. @param {keyof MembersOnly} name */
export function partForMembers(name) {
  return (/** @type {object} */ props) => {
    const Part = /** @type {any} */ (parts.value?.[name]);
    return Part ? html`<${Part} ...${props} />` : null;
  };
}
