import { signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { LIMITS } from "../messages.js";
import { name, rename } from "../me.js";
import { cleanName, countCharacters } from "../text.js";
import { focusComposer } from "./composer.js";
import { Logo } from "./icons.js";

/** The dialog is open: at the first visit, and when the person wants another name. */
export const isAskingForName = signal(!name.peek());

export function NameDialog() {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const problem = useSignal("");
  // Before the next frame: until the dialog is closed the page takes no keys.
  useLayoutEffect(() => {
    problem.value = "";
    if (isAskingForName.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isAskingForName.value]);

  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const chosen = cleanName(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("name")));
    problem.value = problemWith(chosen);
    if (problem.value) return;
    rename(chosen);
    isAskingForName.value = false;
  };
  // A first visit cannot go on without a name. Browsers let a second Escape close the dialog, so it opens again.
  const onClose = () => {
    if (name.peek()) isAskingForName.value = false;
    else if (isAskingForName.peek()) dialog.current?.showModal();
    // Nobody had the focus before the first name.
    if (document.activeElement === document.body) focusComposer();
  };
  const form = { first: !name.value, problem: problem.value, submit, cancel: onClose };
  return html`
    <dialog class="dialog" ref=${dialog} aria-labelledby="name-title" onClose=${onClose}>
      ${isAskingForName.value && html`<${Form} ...${form} />`}
    </dialog>
  `;
}

/** @param {{first: boolean, problem: string, submit: (event: SubmitEvent) => void, cancel: () => void}} props */
function Form({ first, problem, submit, cancel }) {
  return html`
    <form onSubmit=${submit} novalidate>
      <${Logo} />
      <h2 id="name-title">${first ? "Welcome to Chatter" : "Change your name"}</h2>
      <label for="name">What should the others call you?</label>
      <input
        id="name"
        name="name"
        type="text"
        defaultValue=${name.value}
        autocomplete="nickname"
        autofocus
        enterkeyhint="done"
        aria-invalid=${Boolean(problem)}
        aria-describedby="name-problem"
      />
      <p id="name-problem" class="problem" role="alert">${problem}</p>
      <div class="actions">
        ${!first && html`<button class="plain" type="button" onClick=${cancel}>Cancel</button>`}
        <button class="primary" type="submit">${first ? "Start chatting" : "Save"}</button>
      </div>
    </form>
  `;
}

/** @param {string} chosen */
function problemWith(chosen) {
  if (!chosen) return "Please give a name.";
  return countCharacters(chosen) > LIMITS.name ? `At most ${LIMITS.name} characters, please.` : "";
}
