import { problemOf } from "../../account/refusals.js";
import { html } from "../../html.js";
import { GOVERNING } from "../../messages.js";
import { openInvite, openLeave, openLinks, openRoomSettings } from "../room-dialogs/open.js";
import { showToast } from "../toast.js";

/** @typedef {import("../../room/room.js").Room} Room */

/** Draws what this person may do with the room itself. @param {{room: Room}} props */
export function RoomActions({ room }) {
  const { charter } = room;
  const view = charter.view.value;
  const isOpen = !view?.archived;
  const maySet = charter.may("set_topic") || charter.may("set_title") || charter.may("set_rules");
  return html`
    <div class="room-actions">
      ${(!view || (view.kind === "public" && !view.role)) && html`<${Action} words="Join" act=${() => join(room)} />`}
      ${view && isOpen && charter.may("invite") && html`<${Action} words="Invite" act=${() => openInvite(room)} />`}
      ${view && isOpen && charter.may("make_link") && html`<${Action} words="Links" act=${() => openLinks(room)} />`}
      ${view && maySet && html`<${Action} words="Settings" act=${() => openRoomSettings(room)} />`}
      ${view?.role && view.kind !== "direct" && html`<${Action} words="Leave" act=${() => openLeave(room)} />`}
    </div>
  `;
}

/** @param {{words: string, act: () => void}} props */
function Action({ words, act }) {
  return html`<button type="button" onClick=${act}>${words}</button>`;
}

/** Becomes a member: the room is then in the list at the side, with what is new in it. @param {Room} room */
async function join(room) {
  try {
    await room.ask(GOVERNING.join, {});
    showToast("You are a member now");
  } catch (refusal) {
    showToast(problemOf(/** @type {any} */ (refusal)).words);
  }
}
