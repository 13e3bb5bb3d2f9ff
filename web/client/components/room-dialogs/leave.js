import { html } from "../../html.js";
import { titleOf } from "../../memberships/titles.js";
import { GOVERNING } from "../../messages.js";
import { Form } from "../account/form.js";
import { showInDialog } from "../account/show.js";

/** @typedef {import("../../room/room.js").Room} Room */

const TITLE = "leave-title";

/** Asks before the person leaves a room. @param {Room} room */
export function showLeave(room) {
  showInDialog(
    { label: TITLE, className: "room-dialog of-room" },
    (close) => html`<${Leave} room=${room} close=${close} />`,
  );
}

/** @param {{room: Room, close: () => void}} props */
function Leave({ room, close }) {
  const isHeld = isLastOwner(room);
  const send = async () => {
    await room.ask(GOVERNING.leave, {}).catch(unlessGone);
    close();
  };
  const actions = html`
    <button class="plain" type="button" autofocus onClick=${close}>Stay</button>
    ${!isHeld && html`<button class="primary bad" type="submit">Leave</button>`}
  `;
  return html`
    <h2 id=${TITLE}>Leave <bdi>${titleOf(room.slug)}</bdi>?</h2>
    <p>${isHeld ? "You are its only owner. Make another member an owner first." : about(room)}</p>
    <${Form} send=${send} actions=${actions}>${() => null}<//>
  `;
}

/** @param {Room} room */
function about({ charter }) {
  const isPublic = charter.view.peek()?.kind === "public";
  return isPublic
    ? "It is no longer among your rooms. You can come back."
    : "You can come back only if somebody invites you.";
}

/** Whether nobody would be left to look after the room. @param {Room} room */
function isLastOwner({ charter }) {
  const view = charter.view.peek();
  const members = [...(charter.members.peek()?.values() ?? [])];
  const owners = members.filter(({ role }) => role === "owner");
  return view?.kind === "private" && view.role === "owner" && members.length > 1 && owners.length === 1;
}

/** The channel of a private room ends with the answer. @param {{reason?: string}} refusal */
function unlessGone(refusal) {
  if (refusal.reason !== "lost") throw refusal;
}
