import { html } from "../../html.js";
import { label } from "../../me.js";
import { fullDate } from "../../time.js";
import { emojiOf, mostUsed } from "../reactions/emoji.js";
import { sayNames } from "../reactions/names.js";
import { toggleReaction } from "../reactions/pick.js";
import { actionsFor, mayReact } from "./actions.js";
import { findMessage } from "./find.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {import("./find.js").AnyMessage} AnyMessage */

/**
 * Draws what can be done with a message, at the bottom of a phone's screen, where the thumb is.
 *
 * @param {{dialog: {current: HTMLDialogElement | null}, room: Room, element: HTMLElement | null}} props
 */
export function Sheet({ dialog, room, element }) {
  const message = findMessage(room, element?.dataset.id);
  const close = () => dialog.current?.close();
  const onClick = (/** @type {MouseEvent} */ event) => event.target === event.currentTarget && close();
  const actions = message && element ? actionsFor(message, room, element) : [];
  const take = (/** @type {(message: any, element: HTMLElement) => void} */ act) => () => {
    close();
    const now = findMessage(room, message?.id); // it may have changed since this was drawn
    if (now && element) act(now, element);
  };
  return html`
    <dialog class="sheet" aria-label="Actions for the message" ref=${dialog} onClick=${onClick}>
      ${message && html`<${About} message=${message} />`}
      ${message && mayReact(message, room) && html`<${Quick} room=${room} take=${take} />`}
      ${actions.map(
        ({ label, icon: Icon, key, act }) => html`
          <button key=${key ?? label} type="button" onClick=${take((now, shown) => act({ room, message: now, element: shown, anchor: shown }))}>
            <${Icon} />${label}
          </button>
        `,
      )}
      <button class="plain" type="button" onClick=${close}>Cancel</button>
    </dialog>
  `;
}

/**
 * Says whose the message is, and who reacted: a finger finds no names by hovering.
 *
 * @param {{message: AnyMessage}} props
 */
function About({ message }) {
  const reactions = "seq" in message ? Object.entries(message.reactions ?? {}) : [];
  return html`
    <p class="about">
      <bdi>${message.name}</bdi> · <time datetime=${message.inserted_at}>${fullDate(message.inserted_at)}</time>
    </p>
    ${reactions.map(
      ([key, reaction]) => html`
        <p class="about">
          <span class="emoji">${emojiOf(key)}</span>${" "}
          ${sayNames(reaction, label.value, /** @type {Row} */ (message).mine?.includes(key) ?? false)}
        </p>
      `,
    )}
  `;
}

/** @param {{room: Room, take: (act: (message: Row) => void) => () => void}} props */
function Quick({ room, take }) {
  return html`
    <div class="quick">
      ${mostUsed.map(
        (key) => html`
          <button
            type="button"
            aria-label=${`React with ${emojiOf(key)}`}
            onClick=${take((message) => toggleReaction(room, message, key))}
          >
            <span class="emoji">${emojiOf(key)}</span>
          </button>
        `,
      )}
    </div>
  `;
}
