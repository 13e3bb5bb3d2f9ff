import { signal } from "@preact/signals";
import { html } from "../../html.js";
import { focusComposer } from "../composer/focus.js";
import { drawNow } from "../draw-now.js";

/** The id of its heading. The dialog of an invite may be open above it. */
const TITLE = "sign-in-first-title";

/** The form, once it is loaded. */
const form = signal(/** @type {any} */ (null));
/** @type {Promise<void> | undefined} */
let loading;

/** Draws where only people with accounts may talk how one becomes one of them, above the composer. */
export function SignInFirst() {
  loading ??= load();
  if (!form.value) return null;
  return html`
    <dialog class="dialog welcome sign-in" open aria-labelledby=${TITLE}>
      <${form.value} titleId=${TITLE} intro=${html`<p class="who">People with an account talk here.</p>`} />
    </dialog>
  `;
}

async function load() {
  const { SignIn } = await import("./sign-in.js");
  drawNow(() => (form.value = SignIn));
  if (document.activeElement?.id === "composer") focusComposer(); // which means the form now
}
