import { followOwnLink, messagePath } from "../../browser/route.js";
import { html } from "../../html.js";
import { Excerpt } from "../excerpt.js";
import { Reply } from "../icons.js";

/**
 * Draws the message that is answered, in one line that leads to it.
 *
 * @param {{room: import("../../room/room.js").Room, seq: number}} props
 */
export function Quote({ room, seq }) {
  return html`
    <a class="quote" href=${messagePath(room.slug, seq)} tabindex="-1" onClick=${followOwnLink}>
      <${Reply} /><span class="sr-only">Reply to </span><${Excerpt} room=${room} seq=${seq} />
    </a>
  `;
}
