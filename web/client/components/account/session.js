import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { deviceOf } from "../../account/devices.js";
import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { drawNow } from "../draw-now.js";
import { EndButton, onEscape } from "./list.js";

/**
 * @typedef {object} SessionInfo
 * @property {number} id
 * @property {string} label the name that the person has given it, or nothing
 * @property {string} agent what the browser calls itself
 * @property {string} used_at exact to an hour
 * @property {boolean} current it is this browser's
 */

/** @typedef {ReturnType<typeof import("./list.js").useList>["change"]} Change */

const LONGEST_LABEL = 64;

/** Draws a session: its name, which may be changed, and how it is ended. @param {{session: SessionInfo, change: Change}} props */
export function Session({ session, change }) {
  const { id, label, agent, current, used_at } = session;
  const isRenaming = useSignal(false);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const opener = useRef(/** @type {HTMLElement | null} */ (null));
  const device = label || deviceOf(agent);
  const open = () => {
    drawNow(() => (isRenaming.value = true));
    field.current?.select();
  };
  const close = () => {
    const hasFocus = field.current?.form?.contains(document.activeElement);
    drawNow(() => (isRenaming.value = false));
    if (hasFocus) opener.current?.focus();
  };
  const save = async (/** @type {string} */ next) => {
    if (next === label || (await change("PUT", `/api/sessions/${id}`, { label: next }))) close();
  };
  if (isRenaming.value) {
    return html`
      <${Rename} label=${label} agent=${agent} field=${field} save=${save} close=${close} />
      <${LastUsed} at=${used_at} />
    `;
  }
  return html`
    <span class="what">${device}${current && html` <span class="you">this browser</span>`}</span>
    <${LastUsed} at=${used_at} />
    <span class="acts">
      <button class="link" type="button" aria-label=${`Rename ${device}`} ref=${opener} onClick=${open}>Rename</button>
      ${!current && html`<${EndButton} words="Sign out" of=${device} act=${() => change("DELETE", `/api/sessions/${id}`)} />`}
    </span>
  `;
}

/**
 * Draws the field of a name. Where it is left empty, the session has the name of its browser again.
 *
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.agent
 * @param {{current: HTMLInputElement | null}} props.field
 * @param {(next: string) => Promise<void>} props.save
 * @param {() => void} props.close
 */
function Rename({ label, agent, field, save, close }) {
  const isBusy = useSignal(false);
  useLayoutEffect(() => () => leaveFocus(field.current), []);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (isBusy.peek()) return;
    isBusy.value = true;
    await save(field.current?.value.trim() ?? "");
    isBusy.value = false;
  };
  return html`
    <form class="rename" aria-busy=${isBusy.value} onSubmit=${submit} onKeyDown=${onEscape(close)}>
      <input
        ref=${field}
        defaultValue=${label}
        placeholder=${deviceOf(agent)}
        aria-label=${`Name of ${label || deviceOf(agent)}`}
        maxlength=${LONGEST_LABEL}
        autocomplete="off"
        enterkeyhint="done"
      />
      <button class="link" type="submit">Save</button>
      <button class="link" type="button" onClick=${close}>Cancel</button>
    </form>
  `;
}

/** Leaves the focus to the list, where the session has ended meanwhile. @param {HTMLInputElement | null} field */
function leaveFocus(field) {
  if (field?.form?.contains(document.activeElement)) field.closest("ul")?.focus();
}

/** @param {{at: string}} props */
function LastUsed({ at }) {
  return html`<span class="when">last used <time datetime=${at}>${fullDate(at)}</time></span>`;
}
