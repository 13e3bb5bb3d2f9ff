import { html } from "../../html.js";
import { GOVERNING } from "../../messages.js";
import { Form } from "../account/form.js";
import { showInDialog } from "../account/show.js";

/** @typedef {{room: import("../../room/room.js").Room, person: import("../../messages.js").Companion, isBan: boolean}} Props */

const TITLE = "removal-title";

/** Asks before somebody is removed or banned. @param {Props} props */
export function showRemoval(props) {
  showInDialog(
    { label: TITLE, className: "room-dialog of-room" },
    (close) => html`<${Removal} ...${props} close=${close} />`,
  );
}

/** @param {Props & {close: () => void}} props */
function Removal({ room, person: { handle, name }, isBan, close }) {
  const send = async ({ reason = "" }) => {
    const why = reason.trim();
    await room.ask(GOVERNING.remove, { handle, ...(isBan && { ban: true }), ...(why && { reason: why }) });
    close();
  };
  const actions = html`
    <button class="plain" type="button" onClick=${close}>Cancel</button>
    <button class="primary bad" type="submit">${isBan ? "Ban" : "Remove"}</button>
  `;
  const about = isBan
    ? "They hear nothing more of this room and cannot come back until somebody lifts the ban."
    : "They hear nothing more of this room. Somebody can invite them again.";
  return html`
    <h2 id=${TITLE}>${isBan ? "Ban" : "Remove"} <bdi>${name}</bdi>?</h2>
    <p>${about}</p>
    <${Form} send=${send} actions=${actions}>
      ${(/** @type {any} */ field) =>
        field({
          name: "reason",
          label: "Why",
          hint: "May be empty. The members read it.",
          autocomplete: "off",
          autofocus: true,
        })}
    <//>
  `;
}
