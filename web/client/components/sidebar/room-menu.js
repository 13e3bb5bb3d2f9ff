import { signal } from "@preact/signals";
import { createRef } from "preact";
import { moveFocus } from "../../browser/focus.js";
import { showPopover } from "../../browser/overlays.js";
import { LOBBY, slug } from "../../browser/route.js";
import { html } from "../../html.js";
import { choices, choose } from "../../rooms/choices.js";
import { drawNow } from "../draw-now.js";
import { goTo } from "../go-to.js";
import { placeBeside } from "../place.js";

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
  const { pinned, muted } = choices.value;
  const isMuted = muted.includes(name);
  const isPinned = pinned.includes(name);
  const act = (/** @type {() => void} */ change) => () => {
    menu.current?.hidePopover();
    change();
  };
  const onKeyDown = (/** @type {any} */ event) => moveFocus(event, event.currentTarget.querySelectorAll("button"));
  return html`
    <div class="menu" popover="auto" role="menu" aria-label=${`Options for #${name}`} ref=${menu} onKeyDown=${onKeyDown}>
      <${Check} words="Mute" isOn=${isMuted} onClick=${act(() => choose("muted", name, !isMuted))} />
      ${
        name !== LOBBY &&
        html`
          <${Check} words="Pin to the top" isOn=${isPinned} onClick=${act(() => choose("pinned", name, !isPinned))} />
          <button type="button" role="menuitem" onClick=${act(() => close(name))}>Close</button>
        `
      }
    </div>
  `;
}

/** @param {{words: string, isOn: boolean, onClick: () => void}} props */
function Check({ words, isOn, onClick }) {
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
