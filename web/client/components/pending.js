import { html } from "../html.js";
import { continues } from "./chunk.js";
import { focusComposer } from "./composer.js";
import { Message } from "./message.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {import("../room/posts.js").PendingPost} PendingPost */

/** What this person said and the room has not heard yet. @param {{room: Room}} props */
export function Pending({ room }) {
  const unheard = room.posts.pending.value.filter((post) => !post.heard);
  const last = room.history.messages.value.at(-1);
  if (!unheard.length) return null;
  return html`
    <div class="pending-posts" role="group" aria-label="Not sent yet">
      ${unheard.map((post, index) => html`<${Post} key=${post.id} room=${room} post=${post} before=${unheard[index - 1] ?? last} />`)}
    </div>
  `;
}

/** The button pressed goes away with it, so the focus goes on to the next message. @param {() => void} act */
const andFocusComposer = (act) => () => {
  act();
  focusComposer();
};

/** @param {{room: Room, post: PendingPost, before: {name: string, inserted_at: string} | undefined}} props */
function Post({ room, post, before }) {
  return html`
    <${Message} message=${post} first=${!continues(before, post)} state=${post.status}>
      ${
        post.status === "waiting" &&
        html`
        <p class="unsent">
          waiting to be sent · <button type="button" onClick=${andFocusComposer(() => room.posts.discard(post.id))}>discard</button>
        </p>
      `
      }
      ${
        post.status === "failed" &&
        html`
        <p class="not-sent" role="alert">
          not sent · <button type="button" onClick=${andFocusComposer(() => room.posts.retry(post.id))}>retry</button>
          ${" · "}<button type="button" onClick=${andFocusComposer(() => room.posts.discard(post.id))}>discard</button>
          ${" "}<span class="why">${post.why}</span>
        </p>
      `
      }
    <//>
  `;
}
