import { html } from "../../html.js";
import { name as myName } from "../../me.js";
import { Avatar } from "../avatar.js";
import { People as Icon } from "../icons.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Person} Person */

const FACES = 3;

/**
 * Draws the button in the header and the list that it opens. The browser closes the list on Escape or a tap outside.
 *
 * @param {{room: Room}} props
 */
export function People({ room }) {
  const people = room.people.listed.value;
  const total = room.people.total.value;
  return html`
    <button class="people-button" type="button" popovertarget="people" aria-haspopup="dialog">
      <span class="faces" aria-hidden="true">
        ${people.slice(0, FACES).map(({ name }) => html`<${Avatar} key=${name} name=${name} />`)}
      </span>
      <${Icon} /><span class="count">${total.toLocaleString()}</span>
      <span class="sr-only">${total === 1 ? "person here" : "people here"}</span>
    </button>
    <div id="people" class="people" popover="auto" role="dialog" aria-label="People here">
      <h2>Here now <span class="count">${total.toLocaleString()}</span></h2>
      <${List} people=${people} total=${total} most=${200} autofocus />
    </div>
  `;
}

/** Draws the same list in the sidebar, where the screen is wide. @param {{room: Room}} props */
export function HereNow({ room }) {
  const people = room.people.listed.value;
  const total = room.people.total.value;
  if (!people.length) return null;
  return html`
    <section class="here-now" aria-label="Here now">
      <h2>Here now <span class="count">${total.toLocaleString()}</span></h2>
      <${List} people=${people} total=${total} most=${50} />
    </section>
  `;
}

/**
 * Draws up to `most` people and counts the others. The list takes focus, so that the keyboard can scroll it.
 *
 * @param {{people: Person[], total: number, most: number, autofocus?: boolean}} props
 */
function List({ people, total, most, autofocus = false }) {
  const listed = people.slice(0, most);
  const others = total - listed.length;
  return html`
    <ul tabindex="0" aria-label="People" autofocus=${autofocus}>
      ${listed.map((person) => html`<${Row} key=${person.name} ...${person} />`)}
      ${others > 0 && html`<li class="more">and ${others.toLocaleString()} ${others === 1 ? "other" : "others"}</li>`}
    </ul>
  `;
}

/** @param {Person} props */
function Row({ name, connections }) {
  return html`
    <li>
      <${Avatar} name=${name} /><bdi class="name">${name}</bdi>
      ${name === myName.value && html`<span class="you">you</span>`}
      ${connections > 1 && html`<span class="places">${connections} windows</span>`}
    </li>
  `;
}
