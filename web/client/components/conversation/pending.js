import { html } from "../../html.js";
import { continues } from "./chunk.js";
import { focusComposer } from "../composer/focus.js";
import { partForMembers } from "../for-members.js";
import { Message } from "./message.js";
import { shownNotes } from "./shown-notes.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../room/posts.js").PendingPost} PendingPost */

const ConfirmCall = partForMembers("ConfirmCall");

/** Draws this person's posts that were not broadcast yet. @param {{room: Room}} props */
export function Pending({ room }) {
  const unheard = room.unheard.value;
  const last = room.history.messages.value.at(-1);
  if (!unheard.length) return null;
  const isNoted = shownNotes(room).some(({ seq }) => seq > (last?.seq ?? 0));
  return html`
    <div class="pending-posts" role="group" aria-label="Not sent yet">
      ${unheard.map((post, index) => {
        const before = unheard[index - 1] ?? last;
        const first = (index === 0 && isNoted) || !continues(before, post);
        return html`<${PendingMessage} key=${post.id} room=${room} post=${post} first=${first} />`;
      })}
    </div>
  `;
}

/** Moves the focus to the composer after `act`, as the pressed button goes away. @param {() => void} act */
export const andFocusComposer = (act) => () => {
  act();
  focusComposer();
};

/** @param {{room: Room, post: PendingPost, first: boolean, isInThread?: boolean}} props */
export function PendingMessage({ room, post, first, isInThread }) {
  const retry = andFocusComposer(() => room.posts.retry(post.id));
  const discard = andFocusComposer(() => room.posts.discard(post.id));
  const sendAlone = andFocusComposer(() => {
    room.posts.rewrite(post.id, { reply_to: 0 });
    room.posts.retry(post.id);
  });
  return html`
    <${Message} room=${room} message=${post} first=${first} state=${post.status} isInThread=${isInThread}>
      ${post.status === "waiting" && html`<${Waiting} isTried=${post.tried} discard=${discard} />`}
      ${post.status === "failed" && html`<${NotSent} ...${{ room, post, retry, discard, sendAlone }} />`}
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

/**
 * Says that a post failed; one that was tried may arrive after all. What it answers may be why: a reply to a deleted
 * message is always refused.
 *
 * @param {{room: Room, post: PendingPost, retry: () => void, discard: () => void, sendAlone: () => void}} props
 */
function NotSent({ room, post: { id, people, tried, why, reply_to }, retry, discard, sendAlone }) {
  const original = reply_to ? room.quoteOf(reply_to) : undefined;
  if (people) return html`<${ConfirmCall} room=${room} id=${id} people=${people} discard=${discard} />`;
  const isVain = original === null || original?.deleted_at !== undefined;
  return html`
    <p class="not-sent" role="alert">
      ${tried ? "perhaps not sent" : "not sent"}
      ${!isVain && html` · <button type="button" onClick=${retry}>retry</button>`}
      ${Boolean(reply_to) && html` · <button type="button" onClick=${sendAlone}>send without the reply</button>`}
      ${" · "}<button type="button" onClick=${discard}>discard</button>
      ${" "}<span class="why">${why}</span>
    </p>
  `;
}
