import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { html } from "../../html.js";
import { hasAccounts } from "../../account/server.js";
import { labelOf } from "../../authors.js";
import { account, isMine, label } from "../../me.js";
import { namesGuest } from "../../text/names.js";
import { Avatar } from "../avatar.js";
import { partForMembers } from "../for-members.js";
import { useRovingFocus, useStillOrder } from "../list-hooks.js";
import { hasNamesake } from "./namesakes.js";
import { lateSpeakers, orderPeople } from "./order.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Person} Person */

/** Most people that are drawn; the others are counted. */
const MOST = 200;

const MembersPanel = partForMembers("MembersPanel");
const RoomActions = partForMembers("RoomActions");

/** Draws who is in the room: its members for who has an account, where it is somebody's. @param {{room: Room}} props */
export function PeoplePanel({ room }) {
  const hasMembers = account.value && room.charter.view.value;
  return hasMembers ? html`<${MembersPanel} key=${room.slug} room=${room} />` : html`<${Present} room=${room} />`;
}

/** Draws who is present: oneself, then who spoke lately, then the others. @param {{room: Room}} props */
function Present({ room }) {
  const total = room.people.total.value;
  // One string, so that a message of who spoke last anyway draws nothing.
  const speakers = useMemo(() => computed(() => lateSpeakers(room.history.messages.value).join("\n")), [room]);
  const people = orderPeople(room.people.listed.value, label.value, speakers.value.split("\n"));
  const { ordered, handlers } = useStillOrder(people, labelOf, room);
  const listed = ordered.slice(0, MOST);
  const { tabIndexOf, ...keys } = useRovingFocus(listed.map(labelOf));
  const others = total - listed.length;
  return html`
    <h2>Here now <span class="count">${total.toLocaleString()}</span></h2>
    ${account.value && room.state.value === "joined" && html`<${RoomActions} room=${room} />`}
    <div class="people" ...${handlers}>
      <ul aria-label="People" ...${keys}>
        ${listed.map((person) => {
          const key = labelOf(person);
          return html`<${Row} key=${key} room=${room} person=${person} tabIndex=${tabIndexOf(key)} />`;
        })}
        ${others > 0 && html`<li class="more-people">and ${others.toLocaleString()} ${others === 1 ? "other" : "others"}</li>`}
      </ul>
    </div>
  `;
}

/** @param {{room: Room, person: Person, tabIndex: number}} props */
function Row({ room, person, tabIndex }) {
  const { name, author, connections } = person;
  const isGuest = hasAccounts.value && !author;
  const handle = author && hasNamesake(room, name) && labelOf(person);
  return html`
    <li data-stop=${labelOf(person)} tabindex=${tabIndex} title=${author && labelOf(person)}>
      <${Avatar} name=${name} isGuest=${isGuest} /><bdi class="name">${name}</bdi>
      ${handle && html`<span class="handle">${handle}</span>`} ${isGuest && !namesGuest(name) && html`<span class="handle">guest</span>`}
      ${isMine(person) && html`<span class="you">you</span>`}
      ${connections > 1 && html`<span class="places">${connections} windows</span>`}
    </li>
  `;
}
