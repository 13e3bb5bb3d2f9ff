import { computed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { html } from "../../html.js";
import { name as myName } from "../../me.js";
import { Avatar } from "../avatar.js";
import { useRovingFocus, useStillOrder } from "../list-hooks.js";
import { lateSpeakers, orderPeople } from "./order.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Person} Person */

/** Most people that are drawn; the others are counted. */
const MOST = 200;

/** @param {Person} person */
const nameOf = ({ name }) => name;

/** Draws who is in the room: oneself, then who spoke lately, then the others. @param {{room: Room}} props */
export function PeoplePanel({ room }) {
  const total = room.people.total.value;
  // One string, so that a message of who spoke last anyway draws nothing.
  const speakers = useMemo(() => computed(() => lateSpeakers(room.history.messages.value).join("\n")), [room]);
  const people = orderPeople(room.people.listed.value, myName.value, speakers.value.split("\n"));
  const { ordered, handlers } = useStillOrder(people, nameOf, room);
  const listed = ordered.slice(0, MOST);
  const { tabIndexOf, ...keys } = useRovingFocus(listed.map(nameOf));
  const others = total - listed.length;
  return html`
    <h2>Here now <span class="count">${total.toLocaleString()}</span></h2>
    <div class="people" ...${handlers}>
      <ul aria-label="People" ...${keys}>
        ${listed.map((person) => html`<${Row} key=${person.name} person=${person} tabIndex=${tabIndexOf(person.name)} />`)}
        ${others > 0 && html`<li class="more-people">and ${others.toLocaleString()} ${others === 1 ? "other" : "others"}</li>`}
      </ul>
    </div>
  `;
}

/** @param {{person: Person, tabIndex: number}} props */
function Row({ person: { name, connections }, tabIndex }) {
  return html`
    <li data-stop=${name} tabindex=${tabIndex}>
      <${Avatar} name=${name} /><bdi class="name">${name}</bdi>
      ${name === myName.value && html`<span class="you">you</span>`}
      ${connections > 1 && html`<span class="places">${connections} windows</span>`}
    </li>
  `;
}
