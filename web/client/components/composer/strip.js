import { html } from "../../html.js";
import { Excerpt } from "../excerpt.js";
import { Close, Edit, Reply } from "../icons.js";
import { editIn, leaveEdit } from "./edits.js";
import { focusField } from "./focus.js";

/** @typedef {import("../../room/room.js").Room} Room */

/**
 * Says in the composer that what is written is an edit or a reply. The element is always there, so that screen readers
 * read out what appears in it.
 *
 * @param {{room: Room}} props
 */
export function Strip({ room }) {
  const isEdit = editIn(room.slug) !== undefined;
  const { value: target } = room.replyTarget;
  return html`
    <div id="strip" class=${isEdit || target ? "strip" : "strip none"} role="status">
      ${isEdit ? html`<${Editing} room=${room} />` : target > 0 && html`<${Replying} room=${room} target=${target} />`}
    </div>
  `;
}

/** @param {{room: Room}} props */
function Editing({ room: { slug } }) {
  return html`
    <${Edit} /><p><b>Editing</b></p>
    <${Leave} words="Leave the message as it is" act=${() => leaveEdit(slug)} />
  `;
}

/** @param {{room: Room, target: number}} props */
function Replying({ room, target }) {
  return html`
    <${Reply} /><p><b>Replying to</b> <${Excerpt} room=${room} seq=${target} /></p>
    <${Leave} words="Do not reply" act=${() => room.cancelReply()} />
  `;
}

/** @param {{words: string, act: () => void}} props */
function Leave({ words, act }) {
  const leave = () => {
    act();
    focusField();
  };
  return html`
    <button class="quiet-button" type="button" aria-label=${words} title=${`${words} (Esc)`} onClick=${leave}>
      <${Close} />
    </button>
  `;
}
