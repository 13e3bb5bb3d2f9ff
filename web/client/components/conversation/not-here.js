import { useSignal } from "@preact/signals";
import { problemOf } from "../../account/refusals.js";
import { html } from "../../html.js";
import { GOVERNING } from "../../messages.js";
import { focusComposer } from "../composer/focus.js";

/**
 * Says to the author whom a message does not reach, and offers to invite them.
 *
 * @param {{room: import("../../room/room.js").Room, message: import("../../messages.js").Row}} props
 */
export function NotHere({ room, message: { seq, not_here: handles = [] } }) {
  const problem = useSignal("");
  const forget = () => {
    room.setNotHere(seq, []);
    focusComposer(); // the pressed button goes away
  };
  const invite = async () => {
    try {
      await room.ask(GOVERNING.invite, { handles });
      forget();
    } catch (refusal) {
      problem.value = problemOf(/** @type {any} */ (refusal)).words;
    }
  };
  const names = handles.map((handle, at) => html`${at > 0 && ", "}<bdi>@${handle}</bdi>`);
  return html`
    <p class="not-here" role="status">
      ${names} ${handles.length > 1 ? "are" : "is"} not in this room
      ${room.charter.may("invite") && html` · <button type="button" onClick=${invite}>invite</button>`}
      ${" · "}<button type="button" onClick=${forget}>dismiss</button>
      ${problem.value && html` <span class="why" role="alert">${problem.value}</span>`}
    </p>
  `;
}
