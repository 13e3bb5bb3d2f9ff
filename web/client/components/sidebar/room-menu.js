import { signal } from "@preact/signals";
import { createRef } from "preact";
import { moveFocus } from "../../browser/focus.js";
import { showPopover } from "../../browser/overlays.js";
import { LOBBY, slug } from "../../browser/route.js";
import { html } from "../../html.js";
import { membershipOf } from "../../memberships/memberships.js";
import { labelOfRoom } from "../../memberships/titles.js";
import { choices, choose } from "../../rooms/choices.js";
import { drawNow } from "../draw-now.js";
import { partForMembers } from "../for-members.js";
import { goTo } from "../go-to.js";
import { placeBeside } from "../place.js";

const MemberItems = partForMembers("MemberItems");

/** The room whose menu is open, or was open last. */
const room = signal(LOBBY);
/** @type {{current: HTMLElement | null}} */
const menu = createRef();

/** Opens the menu of a room beside its button. @param {string} name @param {HTMLElement} button */
export function openRoomMenu(name, button) {
  drawNow(() => (room.value = name)); // what is pressed before the next frame is meant for this room
  if (!menu.current) return;
  showPopover(menu.current);
  placeBeside(menu.current, button.getBoundingClientRect());
  menu.current.querySelector("button")?.focus();
}

/** Draws the menu of a room: one for all, in the top layer. The browser closes it on Escape or a tap outside. */
export function RoomMenu() {
  const { value: name } = room;
  const mine = membershipOf(name);
  const isPinned = choices.value.pinned.includes(name);
  const act = (/** @type {() => void} */ change) => () => {
    menu.current?.hidePopover();
    change();
  };
  const onKeyDown = (/** @type {any} */ event) => {
    if (event.key === "Escape") event.stopPropagation(); // closes the menu alone, and not the drawer
    moveFocus(event, event.currentTarget.querySelectorAll("button"));
  };
  const label = `Options for ${labelOfRoom(name)}`;
  return html`
    <div class="menu" popover="auto" role="menu" aria-label=${label} ref=${menu} onKeyDown=${onKeyDown}>
      ${mine ? html`<${MemberItems} room=${mine} act=${act} />` : html`<${Mute} name=${name} act=${act} />`}
      ${
        name !== LOBBY &&
        html`<${Check} words="Pin to the top" isOn=${isPinned} onClick=${act(() => choose("pinned", name, !isPinned))} />`
      }
      ${name !== LOBBY && !mine && html`<${Item} words="Close" onClick=${act(() => close(name))} />`}
    </div>
  `;
}

/** @typedef {(change: () => void) => () => void} Act closes the menu and does something */

/** @param {{name: string, act: Act}} props */
function Mute({ name, act }) {
  const isMuted = choices.value.muted.includes(name);
  return html`<${Check} words="Mute" isOn=${isMuted} onClick=${act(() => choose("muted", name, !isMuted))} />`;
}

/** @param {{words: string, onClick: () => void}} props */
export function Item({ words, onClick }) {
  return html`<button type="button" role="menuitem" onClick=${onClick}>${words}</button>`;
}

/** @param {{words: string, isOn: boolean, onClick: () => void}} props */
export function Check({ words, isOn, onClick }) {
  return html`
    <button type="button" role="menuitemcheckbox" aria-checked=${isOn} onClick=${onClick}>${words}</button>
  `;
}

/** Takes a room out of the sidebar until it is opened again. @param {string} name */
function close(name) {
  choose("pinned", name, false);
  choose("closed", name, true);
  if (slug.peek() === name) goTo(LOBBY);
}
