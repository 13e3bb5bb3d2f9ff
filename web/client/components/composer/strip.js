import { isCovered } from "../../account/session.js";
import { html } from "../../html.js";
import { excerptOf } from "../../text/excerpt.js";
import { Excerpt } from "../excerpt.js";
import { Close, Edit, Reply } from "../icons.js";
import { editedMessage, editIn, focusAfterEdit, isInVain, leaveEdit, startOver } from "./edits.js";
import { focusField } from "./focus.js";

/** @typedef {import("../../room/room.js").Room} Room */

/**
 * Says in the composer that what is written is an edit or a reply, and of which message. The element is always there, so
 * that screen readers read out what appears in it.
 *
 * @param {{room: Room, isEmpty: boolean}} props
 */
export function Strip({ room, isEmpty }) {
  const edit = editIn(room.slug);
  const { value: target } = room.replyTarget;
  return html`
    <div id="strip" class=${edit || target ? "strip" : "strip none"} role="status">
      ${edit && html`<${Editing} room=${room} edit=${edit} isEmpty=${isEmpty} />`}
      ${!edit && target > 0 && html`<${Replying} room=${room} target=${target} />`}
    </div>
  `;
}

/** @param {{room: Room, edit: import("./edits.js").Edit, isEmpty: boolean}} props */
function Editing({ room, edit, isEmpty }) {
  const message = editedMessage(room, edit);
  const isDeletion = isEmpty && message && room.mayDelete(message);
  const isLate = message && isInVain(room, message);
  const what = isDeletion ? "Save it empty to delete" : isLate ? "The connection was lost: a draft now" : "Editing";
  const excerpt = message && !isCovered(room.slug) && excerptOf(message.message);
  return html`
    <${Edit} />
    <p><b>${what}</b> <span class="excerpt" dir="auto">${excerpt}</span></p>
    ${edit.isResumed && html`<${StartOver} slug=${room.slug} />`}
    <${Leave} words="Leave the message as it is" act=${() => leaveEdit(room.slug)} after=${focusAfterEdit} />
  `;
}

/** Offers the text of the message in place of words that were put aside. @param {{slug: string}} props */
function StartOver({ slug }) {
  const act = () => {
    startOver(slug);
    focusField();
  };
  return html`<button class="link" type="button" onClick=${act}>Start over</button>`;
}

/** @param {{room: Room, target: number}} props */
function Replying({ room, target }) {
  const what = isCovered(room.slug)
    ? html`<b>Replying</b>`
    : html`<b>Replying to</b> <${Excerpt} room=${room} seq=${target} />`;
  return html`
    <${Reply} /><p>${what}</p>
    <${Leave} words="Do not reply" act=${() => room.cancelReply()} after=${focusField} />
  `;
}

/** @param {{words: string, act: () => void, after: () => void}} props `after` moves the focus: the button goes away */
function Leave({ words, act, after }) {
  const leave = () => {
    act();
    after();
  };
  return html`
    <button class="quiet-button" type="button" aria-label=${words} title=${`${words} (Esc)`} onClick=${leave}>
      <${Close} />
    </button>
  `;
}
