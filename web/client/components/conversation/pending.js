import { html } from "../../html.js";
import { continues } from "./chunk.js";
import { focusComposer } from "../composer/focus.js";
import { Message } from "./message.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../room/posts.js").PendingPost} PendingPost */

/** Draws this person's posts that were not broadcast yet. @param {{room: Room}} props */
export function Pending({ room }) {
  const unheard = room.posts.pending.value.filter((post) => !post.heard);
  const last = room.history.messages.value.at(-1);
  if (!unheard.length) return null;
  return html`
    <div class="pending-posts" role="group" aria-label="Not sent yet">
      ${unheard.map((post, index) => {
        const before = unheard[index - 1] ?? last;
        return html`<${Post} key=${post.id} room=${room} post=${post} before=${before} />`;
      })}
    </div>
  `;
}

/** Moves the focus to the composer after `act`, as the pressed button goes away. @param {() => void} act */
const andFocusComposer = (act) => () => {
  act();
  focusComposer();
};

/** @param {{room: Room, post: PendingPost, before: {name: string, inserted_at: string} | undefined}} props */
function Post({ room, post, before }) {
  const retry = andFocusComposer(() => room.posts.retry(post.id));
  const discard = andFocusComposer(() => room.posts.discard(post.id));
  return html`
    <${Message} message=${post} first=${!continues(before, post)} state=${post.status}>
      ${post.status === "waiting" && html`<${Waiting} isTried=${post.tried} discard=${discard} />`}
      ${post.status === "failed" && html`<${NotSent} isTried=${post.tried} why=${post.why} ...${{ retry, discard }} />`}
    <//>
  `;
}

/** @param {{isTried: boolean, discard: () => void}} props */
function Waiting({ isTried, discard }) {
  const words = isTried ? "may be on its way, and is sent again" : "waiting to be sent";
  return html`
    <p class="unsent">${words} · <button type="button" onClick=${discard}>discard</button></p>
  `;
}

/** Says that a post failed; one that was tried may arrive after all. @param {{isTried: boolean, why: string, retry: () => void, discard: () => void}} props */
function NotSent({ isTried, why, retry, discard }) {
  return html`
    <p class="not-sent" role="alert">
      ${isTried ? "perhaps not sent" : "not sent"} · <button type="button" onClick=${retry}>retry</button>
      ${" · "}<button type="button" onClick=${discard}>discard</button>
      ${" "}<span class="why">${why}</span>
    </p>
  `;
}
