import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ask } from "../../account/api.js";
import { maySignIn, signedIn } from "../../account/identity.js";
import { isSignUpClosed, server } from "../../account/server.js";
import { leaveJoin, replaceJoin } from "../../browser/route.js";
import { html } from "../../html.js";
import { name as myName } from "../../me.js";
import { cleanName } from "../../text/cleaning.js";
import { cleanHandle, Form } from "./form.js";
import { OtherWays } from "./other-ways.js";
import { showInDialog } from "./show.js";

/** @typedef {"in" | "up"} Face to sign in, or to create an account */
/** @typedef {{face?: Face, handle?: string, invite?: string, intro?: any, titleId?: string, onCancel?: () => void}} Props */

/** The id of the heading in the dialog. */
const TITLE = "sign-in-title";

/** @param {Props} props */
export function showSignIn(props) {
  const dialog = showInDialog({ label: TITLE, className: "sign-in" }, (close) => {
    const cancel = () => {
      leaveJoin();
      close();
    };
    return html`<${SignIn} ...${props} onCancel=${cancel} />`;
  });
  dialog.addEventListener("cancel", () => leaveJoin()); // Escape says no to an invitation, too
}

/** Draws the two faces of signing in. What is typed as the handle stays. @param {Props} props */
export function SignIn({ face: first = "in", handle = "", ...props }) {
  const face = useSignal(first);
  const typed = useSignal(handle);
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null)); // once a button in it was pressed
  useLayoutEffect(() => handleIn(dialog.current)?.focus(), [face.value]); // the pressed button has gone away
  const turn = (/** @type {any} */ { currentTarget }) => {
    dialog.current = currentTarget.closest("dialog");
    typed.value = handleIn(dialog.current)?.value ?? "";
    face.value = face.peek() === "in" ? "up" : "in";
  };
  const Shown = face.value === "in" || isSignUpClosed.value ? Known : Newcomer;
  return html`<${Shown} key=${Shown.name} ...${props} handle=${typed.value} turn=${turn} />`;
}

/** @param {HTMLElement | null} dialog @returns {HTMLInputElement | null | undefined} */
function handleIn(dialog) {
  return dialog?.querySelector(`input[name="${HANDLE.name}"]`);
}

/** @param {Props & {turn: (event: any) => void}} props */
function Known({ handle = "", intro, titleId = TITLE, onCancel, turn }) {
  const send = async (/** @type {Record<string, string>} */ typed) => {
    const known = { handle: cleanHandle(typed.handle), password: typed.password };
    if (await maySignIn(known.handle)) await signedIn(await ask("POST", "/api/sessions", known));
  };
  return html`
    <h2 id=${titleId}>Sign in</h2>
    ${intro}
    <${Form} send=${send} actions=${html`<${Actions} onCancel=${onCancel} words="Sign in" />`}>
      ${(/** @type {any} */ field) => html`
        ${field({ ...HANDLE, value: handle, autofocus: !handle })}
        ${field({ ...PASSWORD, autocomplete: "current-password", autofocus: Boolean(handle) })}
      `}
    <//>
    <${OtherWays} />
    <p class="aside">
      ${
        isSignUpClosed.value
          ? html`<span>New accounts are made by an admin here.</span>`
          : html`<button class="link" type="button" onClick=${turn}>Create an account</button>`
      }
      <span>Forgotten your password? An admin can give you a link.</span>
    </p>
  `;
}

/** @param {Props & {turn: (event: any) => void}} props */
function Newcomer({ handle, invite = "", intro, titleId = TITLE, onCancel, turn }) {
  const send = async (/** @type {Record<string, string>} */ typed) => {
    if (!(await maySignIn())) return;
    const { password, invite: code = invite } = typed; // where anybody may sign up there is no field for it
    const name = cleanName(typed.name ?? "");
    const made = await ask("POST", "/api/accounts", {
      ...{ handle: cleanHandle(typed.handle), password },
      ...(name && { name }),
      ...(code.trim() && { invite: code.trim() }),
    });
    replaceJoin(made.room);
    await signedIn(made);
  };
  return html`
    <h2 id=${titleId}>Create an account</h2>
    ${intro}
    <${Form} send=${send} actions=${html`<${Actions} onCancel=${onCancel} words="Create account" />`}>
      ${(/** @type {any} */ field) => html`
        ${field({ ...HANDLE, value: handle || handleFrom(myName.peek()), hint: HANDLE_HINT, autofocus: true })}
        ${field({ ...NAME, value: myName.peek() })}
        ${field({ ...PASSWORD, autocomplete: "new-password", hint: passwordHint() })}
        ${server.value?.sign_up !== "open" && field({ ...INVITE, value: invite })}
      `}
    <//>
    <p class="aside"><button class="link" type="button" onClick=${turn}>I have an account</button></p>
  `;
}

/** @param {{words: string, onCancel?: () => void}} props */
export function Actions({ words, onCancel }) {
  return html`
    ${onCancel && html`<button class="plain" type="button" onClick=${onCancel}>Cancel</button>`}
    <button class="primary" type="submit">${words}</button>
  `;
}

export const HANDLE_HINT = "Small letters and digits, which . _ and - may join. Others write it as @handle.";
export const HANDLE = { name: "handle", label: "Handle", autocomplete: "username" };
export const NAME = { name: "name", label: "Name that the others see", autocomplete: "nickname" };
export const PASSWORD = { name: "password", label: "Password", type: "password" };
const INVITE = { name: "invite", label: "Invite", autocomplete: "off" };

/** Says what a password has to be. */
export function passwordHint() {
  return `At least ${server.value?.password_min ?? 10} characters. A sentence is easy to remember.`;
}

/** Makes a handle of a name, if it is nearly one. @param {string} name */
function handleFrom(name) {
  const plain = name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/\s+/g, ".");
  return /^[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])$/.test(plain) ? plain : "";
}
