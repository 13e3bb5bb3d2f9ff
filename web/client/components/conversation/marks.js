import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { Pin } from "../icons.js";

/** @typedef {import("../../messages.js").Row} Row */

/**
 * Says behind a text that it was edited, that it is pinned, and that a change of it is not saved.
 *
 * @param {{message: Row}} props
 */
export function Marks({ message }) {
  const isSaving = message.operations?.some(({ kind, status }) => isOfText(kind) && status !== "failed");
  return html`
    ${Boolean(message.edits) && html` <${Edited} at=${message.edited_at} />`}
    ${message.pinned_at && html` <${Pinned} by=${message.pinned_by} />`}
    ${isSaving && html` <span class="sending">saving…</span>`}
  `;
}

/** @param {{at?: string}} props */
function Edited({ at = "" }) {
  const when = at && `Edited: ${fullDate(at)}`;
  return html`<time class="edited" datetime=${at} title=${when} aria-label=${when}>edited</time>`;
}

/** @param {{by?: string}} props */
function Pinned({ by }) {
  const words = by ? `Pinned by ${by}` : "Pinned";
  return html`<span class="pinned" role="img" aria-label=${words} title=${words}><${Pin} /></span>`;
}

/** Whether an operation changes what is read: a reaction shows by itself that it is not saved. @param {string} kind */
function isOfText(kind) {
  return kind === "edit" || kind === "delete" || kind === "pin" || kind === "unpin";
}
