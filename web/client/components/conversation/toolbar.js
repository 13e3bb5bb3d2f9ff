import { moveFocus } from "../../browser/focus.js";
import { html } from "../../html.js";
import { fullDate } from "../../time.js";
import { emojiOf, mostUsed } from "../reactions/emoji.js";
import { toggleReaction } from "../reactions/pick.js";
import { actionsFor, mayReact } from "./actions.js";
import { findMessage } from "./find.js";
import { leaveToolbar } from "./message-keys.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {{key: string, label: string, picture: any, hint?: string, act: (message: any, anchor: HTMLElement) => void}} Tool */

/**
 * Draws what can be done with a message that the mouse or the focus is on: one stop of the Tab key, with arrows inside.
 *
 * @param {{toolbar: {current: HTMLElement | null}, room: Room, element: HTMLElement | null, isByKeys: boolean}} props
 */
export function Toolbar({ toolbar, room, element, isByKeys }) {
  const message = findMessage(room, element?.dataset.id);
  const tools = message && element ? toolsFor(room, message, element) : [];
  const onKeyDown = (/** @type {any} */ event) =>
    leaveToolbar(event, element) || moveFocus(event, event.currentTarget.querySelectorAll("button"), "horizontal");
  const take = (/** @type {Tool} */ { act }) => {
    return (/** @type {any} */ { currentTarget }) => {
      const now = findMessage(room, message?.id); // it may have changed since this was drawn
      if (now) act(now, currentTarget);
    };
  };
  return html`
    <div
      class="toolbar"
      popover="manual"
      role="toolbar"
      aria-label=${message ? `Actions for the message by ${message.name}` : "Actions"}
      ref=${toolbar}
      onMouseDown=${keepFocus}
      onKeyDown=${onKeyDown}
    >
      ${message && isByKeys && html`<time datetime=${message.inserted_at}>${fullDate(message.inserted_at)}</time>`}
      ${tools.map((tool, index) => html`<${Button} ...${tool} isFirst=${!index} onClick=${take(tool)} />`)}
    </div>
  `;
}

/** Leaves the focus where it was: Enter must not press again what the mouse has pressed. @param {Event} event */
function keepFocus(event) {
  event.preventDefault();
}

/** @param {{label: string, picture: any, hint?: string, isFirst: boolean, onClick: (event: any) => void}} props */
function Button({ label, picture, hint, isFirst, onClick }) {
  return html`
    <button type="button" aria-label=${label} title=${hint ?? label} tabindex=${isFirst ? 0 : -1} onClick=${onClick}>
      ${picture}
    </button>
  `;
}

/**
 * Returns the reactions that are used most, and the actions.
 *
 * @param {Room} room
 * @param {import("./find.js").AnyMessage} message
 * @param {HTMLElement} element
 * @returns {Tool[]}
 */
function toolsFor(room, message, element) {
  const quick = mayReact(message, room) && !element.closest(".thread") ? mostUsed : []; // there is no room for more
  const reactions = quick.map((key) => ({
    key,
    label: `React with ${emojiOf(key)}`,
    picture: html`<span class="emoji">${emojiOf(key)}</span>`,
    act: (/** @type {Row} */ now) => toggleReaction(room, now, key),
  }));
  const actions = actionsFor(message, room, element).map(({ label, icon: Icon, key, act }) => ({
    key: key ?? label, // a button stays what it is, under a mouse or with the focus, when one beside it comes or goes
    label,
    picture: html`<${Icon} />`,
    hint: key && `${label} (${key})`,
    act: (/** @type {import("./find.js").AnyMessage} */ now, /** @type {HTMLElement} */ anchor) =>
      act({ room, message: now, element, anchor }),
  }));
  return [...reactions, ...actions];
}
