import { signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { isRequired, server } from "../account/server.js";
import { showDialog } from "../browser/overlays.js";
import { html } from "../html.js";
import { account, name, rename, suggestedName } from "../me.js";
import { labelOfRoom } from "../memberships/titles.js";
import { LIMITS } from "../messages.js";
import { cleanName, countCharacters } from "../text/cleaning.js";
import { openSignIn } from "./account/open.js";
import { SignInFirst } from "./account/required.js";
import { whyNotWrite } from "./composer/cannot-write.js";
import { focusComposer } from "./composer/focus.js";
import { drawNow } from "./draw-now.js";

/** @typedef {import("../room/room.js").Room} Room */

/** How often the dialog was opened: each time with a form of its own. One that went away at the end would take the selection along. */
const openings = signal(0);

/** Opens the dialog at once: keys that follow are the new name. */
export function askForAnotherName() {
  drawNow(() => (openings.value += 1));
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("rename"));
  showDialog(dialog);
  dialog.querySelector("input")?.select();
}

/** How many people the welcome names. */
const NAMED = 3;

/**
 * Draws the dialog of a first visit, above the composer: the conversation can be read behind it.
 *
 * @param {{room: Room}} props
 */
export function Welcome({ room }) {
  const isShutOut = room.state.value === "refused" && whyNotWrite(room) !== "";
  if (name.value || isShutOut) return null;
  if (isRequired.value) return html`<${SignInFirst} />`;
  return html`
    <dialog class="dialog welcome" open aria-labelledby="name-title">
      <${Form}
        title=${html`Welcome to <bdi>${labelOfRoom(room.slug)}</bdi>`}
        intro=${html`<${WhoIsHere} room=${room} />`}
        action="Start chatting"
        onChosen=${focusComposer}
        other=${server.value && html`<button class="plain" type="button" onClick=${() => openSignIn()}>Sign in</button>`}
      />
    </dialog>
  `;
}

/** @param {{room: Room}} props */
function WhoIsHere({ room }) {
  const named = room.people.listed.value.slice(0, NAMED);
  const others = room.people.total.value - named.length;
  if (!named.length) return html`<p class="who">Nobody else is here right now.</p>`;
  const last = others > 0 ? -1 : named.length - 1;
  const names = named.map(
    (person, index) => html`${index > 0 && (index === last ? " and " : ", ")}<bdi>${person.name}</bdi>`,
  );
  const rest =
    others > 0 ? ` and ${others.toLocaleString()} more are here.` : named.length > 1 ? " are here." : " is here.";
  return html`<p class="who">${names}${rest}</p>`;
}

/** Draws the dialog in which the person takes another name. */
export function NameDialog() {
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const { value: suggestion } = suggestedName;
  const isAsked = name.value && !account.value;
  useLayoutEffect(() => {
    if (suggestion && isAsked) askForAnotherName(); // once its field has the suggestion
  }, [suggestion, isAsked]);
  if (!isAsked) return null;
  // In the handler, which gives the focus back at once: until it is closed the page takes no keys.
  const close = () => dialog.current?.close();
  const form = suggestion
    ? { title: "This name is taken", intro: html`<${Taken} close=${close} />`, action: "Take this name" }
    : { title: "Change your name", action: "Save" };
  return html`
    <dialog id="rename" class="dialog" ref=${dialog} aria-labelledby="name-title">
      <${Form} key=${openings.value + suggestion} ...${form} onChosen=${close} onCancel=${close} />
    </dialog>
  `;
}

/** Says why another name is needed, to who may be the one who has it. @param {{close: () => void}} props */
function Taken({ close }) {
  const signIn = () => {
    close();
    openSignIn();
  };
  return html`
    <p class="who">
      Somebody with an account is called <bdi>${name.value}</bdi>. Is it you?${" "}
      <button class="link" type="button" onClick=${signIn}>Sign in</button>
    </p>
  `;
}

/** @param {{title: any, intro?: any, action: string, other?: any, onChosen: () => void, onCancel?: () => void}} props */
function Form({ title, intro, action, other, onChosen, onCancel }) {
  const problem = useSignal("");
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const chosen = cleanName(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("name")));
    problem.value = problemWith(chosen);
    if (problem.value) return;
    rename(chosen);
    onChosen();
  };
  return html`
    <form onSubmit=${submit} novalidate>
      <h2 id="name-title">${title}</h2>
      ${intro}
      <label for="name">What should the others call you?</label>
      <input
        id="name"
        name="name"
        type="text"
        defaultValue=${suggestedName.value || name.value}
        autocomplete="nickname"
        autofocus
        enterkeyhint="done"
        aria-invalid=${Boolean(problem.value)}
        aria-describedby="name-problem"
      />
      <p id="name-problem" class="problem" role="alert">${problem.value}</p>
      <div class="actions">
        ${other} ${onCancel && html`<button class="plain" type="button" onClick=${onCancel}>Cancel</button>`}
        <button class="primary" type="submit">${action}</button>
      </div>
    </form>
  `;
}

/** @param {string} chosen */
function problemWith(chosen) {
  if (!chosen) return "Please give a name.";
  return countCharacters(chosen) > LIMITS.name ? `At most ${LIMITS.name} characters, please.` : "";
}
