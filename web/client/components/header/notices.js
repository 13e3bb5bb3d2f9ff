import { leaveMessage } from "../../browser/route.js";
import { farewell } from "../../account/farewell.js";
import { html } from "../../html.js";
import { labelOfRoom } from "../../memberships/titles.js";
import { focusComposer } from "../composer/focus.js";

/** @typedef {import("../../room/room.js").Room} Room */

/**
 * Draws what the person should know and need not act on. The element is always there, so that screen readers read out
 * what appears in it.
 *
 * @param {{room: Room}} props
 */
export function Notices({ room }) {
  const { savingIsBehind } = room.posts;
  const { missingAfter } = room.recovery;
  return html`
    <div class="notices" role="status">
      ${savingIsBehind.value && html`<${SavingIsBehind} />`}
      ${farewell.value && html`<${Dismissible} dismiss=${() => (farewell.value = "")}>${farewell.value}<//>`}
      <${NotThere} room=${room} />
      ${missingAfter.value > 0 && html`<${NotAllLoaded} dismiss=${() => (missingAfter.value = 0)} />`}
    </div>
  `;
}

function SavingIsBehind() {
  return html`<p class="notice">Saving is behind. Everybody has heard you; it is kept as soon as possible.</p>`;
}

/** Says that the message in the address is not the one that is shown. @param {{room: Room}} props */
function NotThere({ room }) {
  const target = room.detached.target.value;
  if (!target || room.detached.isReturn.value || target.state === "opening") return null;
  const isDeleted = target.state === "shown" && room.quoteOf(target.asked)?.deleted_at !== undefined;
  if (target.seq === target.asked && !isDeleted) return null;
  const dismiss = () => {
    room.detached.target.value = null;
    leaveMessage();
  };
  return html`
    <${Dismissible} dismiss=${dismiss}>
      ${isDeleted ? "This message was deleted." : whyNotThere(room, target)}
    <//>
  `;
}

/** @param {Room} room @param {import("../../room/detached-run.js").Target} target */
function whyNotThere(room, { state, asked, seq }) {
  if (state === "failed") return "The message cannot be loaded now.";
  const yet = asked > room.history.last ? " yet" : "";
  const title = html`<bdi>${labelOfRoom(room.slug)}</bdi>`;
  return html`There is no message ${asked} in ${title}${yet}.${seq ? " This is the nearest one." : ""}`;
}

/** @param {{dismiss: () => void}} props */
function NotAllLoaded({ dismiss }) {
  return html`
    <${Dismissible} dismiss=${dismiss}>Not everything said while you were away is loaded. Scroll up to load it.<//>
  `;
}

/** @param {{dismiss: () => void, children?: any}} props */
function Dismissible({ dismiss, children }) {
  const onClick = () => {
    dismiss();
    focusComposer(); // the pressed button goes away
  };
  return html`
    <p class="notice"><span>${children}</span><button type="button" onClick=${onClick}>Dismiss</button></p>
  `;
}
