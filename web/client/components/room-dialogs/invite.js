import { useEffect } from "preact/hooks";
import { html } from "../../html.js";
import { titleOf } from "../../memberships/titles.js";
import { GOVERNING } from "../../messages.js";
import { problemOf } from "../../account/refusals.js";
import { Form } from "../account/form.js";
import { showInDialog } from "../account/show.js";
import { showToast } from "../toast.js";
import { peopleKnown } from "./known.js";
import { PeopleField, usePeople } from "./people-field.js";

/** @typedef {import("../../room/room.js").Room} Room */

const TITLE = "invite-title";

/** Shows the dialog that brings people into a room. @param {Room} room */
export function showInvite(room) {
  showInDialog(
    { label: TITLE, className: "room-dialog of-room" },
    (close) => html`<${Invite} room=${room} close=${close} />`,
  );
}

/** @param {{room: Room, close: () => void}} props */
function Invite({ room, close }) {
  const people = usePeople();
  const { problem } = people;
  const { members } = room.charter;
  useEffect(() => {
    if (!members.peek()) room.charter.readMembers().catch(() => {}); // the server knows who is in the room already
  }, []);
  const send = async () => {
    const handles = people.read();
    if (!handles) return;
    if (!handles.length) return void (problem.value = "Whom do you want to invite?");
    try {
      await room.ask(GOVERNING.invite, { handles });
    } catch (refusal) {
      problem.value = whyNot(/** @type {import("../../account/api.js").Refusal} */ (refusal), handles);
      return;
    }
    close();
    showToast(
      handles.length === 1 ? `@${handles[0]} is in the room now` : `${handles.length} people are in the room now`,
    );
  };
  const actions = html`
    <button class="plain" type="button" onClick=${close}>Cancel</button>
    <button class="primary" type="submit">Invite</button>
  `;
  return html`
    <h2 id=${TITLE}>Invite people to <bdi>${titleOf(room.slug)}</bdi></h2>
    <${Form} send=${send} actions=${actions}>
      ${() => html`
        <${PeopleField}
          people=${people}
          known=${peopleKnown()}
          isLeftOut=${(/** @type {number} */ id) => members.value?.has(id)}
          label="Who"
          hint="Handles, such as @bo. They are in the room at once, and may leave it."
          autofocus
        />
      `}
    <//>
  `;
}

/** @param {import("../../account/api.js").Refusal} refusal @param {string[]} handles */
function whyNot(refusal, handles) {
  if (refusal.reason !== "banned") return problemOf(refusal).words;
  const who = handles.length === 1 ? `@${handles[0]}` : "One of them";
  return `${who} is banned here until a moderator lifts the ban.`;
}
