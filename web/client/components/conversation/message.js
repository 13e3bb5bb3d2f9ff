import { hasAccounts } from "../../account/server.js";
import { labelOf } from "../../authors.js";
import { html } from "../../html.js";
import { callsMe, isMine } from "../../me.js";
import { namesGuest, tint } from "../../text/names.js";
import { dayName, fullDate, timeOfDay } from "../../time.js";
import { Avatar } from "../avatar.js";
import { hasNamesake } from "../people/namesakes.js";
import { Reactions } from "../reactions/reactions.js";
import { RepliesButton } from "../thread/replies-button.js";
import { Gone } from "./gone.js";
import { Marks } from "./marks.js";
import { Quote } from "./quote.js";
import { partForMembers } from "../for-members.js";
import { RefusedOperations } from "./refused.js";
import { Text } from "./text.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {import("../../room/posts.js").PendingPost} PendingPost */

const NotHere = partForMembers("NotHere");

/**
 * @typedef {object} MessageProps
 * @property {Room} room
 * @property {Row | PendingPost} message
 * @property {boolean} first of its group
 * @property {"waiting" | "pending" | "failed"} [state] of a message that is not saved
 * @property {boolean} [isTarget] the address names it
 * @property {boolean} [isInThread] it is drawn among the replies: what they all answer is not said again
 * @property {any} [children]
 */

/**
 * Draws one message. The first of a group shows its author; in the others only screen readers find the name.
 *
 * A message that has changed is another object. As this component reads a signal, it is drawn again only for another
 * property or name (@preact/signals): of a chunk that changes, only the rows that are not as before.
 *
 * @param {MessageProps} props
 */
export function Message({ room, message, first, state, isTarget, isInThread, children }) {
  const mine = isMine(message);
  const isGuest = hasAccounts.value && !message.author;
  const row = "seq" in message ? message : undefined;
  const isGone = row?.deleted_at !== undefined;
  const mentions = row?.mentions;
  const isCalling = row !== undefined && callsMe(row);
  const marked = { first, mine, target: isTarget, [state ?? ""]: state, gone: isGone };
  /** @type {Record<string, unknown>} */
  const classes = { message: true, ...marked, calls: mentions, "calls-me": isCalling };
  const time = message.inserted_at;
  const hasQuote = message.reply_to && !isGone && !(isInThread && message.reply_to === row?.root);
  return html`
    <article
      class=${Object.keys(classes)
        .filter((name) => classes[name])
        .join(" ")}
      data-id=${message.id}
      data-seq=${row?.seq}
      data-state=${state ?? "said"}
      tabindex="-1"
      aria-current=${isTarget ? "location" : undefined}
    >
      ${first && html`<${Avatar} name=${message.name} isGuest=${isGuest} />`}
      <div class=${first ? "byline" : "byline again"}>
        <${Author} room=${room} message=${message} first=${first} isGuest=${isGuest} />
        ${mine && html`<span class="you">you</span>`} ${isCalling && html`<span class="sr-only">mentions you</span>`}
        <time datetime=${time} title=${fullDate(time)}>${timeOfDay(time)}</time>
      </div>
      ${hasQuote && html`<${Quote} room=${room} seq=${message.reply_to} />`}
      ${isGone ? html`<${Gone} message=${row} />` : html`<${Said} message=${message} />`}
      ${state === "pending" && html`<span class="sending">${row ? "saving…" : "sending…"}</span>`}
      ${row && html`<${Extras} room=${room} message=${row} isInThread=${isInThread} />`}
      ${children}
    </article>
  `;
}

/**
 * Draws whose message it is. The handle is behind the name, and beside it where others look the same; that somebody is
 * a guest is for the pointer and for screen readers.
 *
 * @param {{room: Room, message: Row | PendingPost, first: boolean, isGuest: boolean}} props
 */
function Author({ room, message, first, isGuest }) {
  const { name, author } = message;
  const handle = author && labelOf(message);
  return html`
    <bdi class="author tint-${tint(name)}" title=${handle ?? (isGuest ? "guest" : undefined)}>${name}</bdi>
    ${first && handle && hasNamesake(room, name) && html`<span class="handle">${handle}</span>`}
    ${first && isGuest && !namesGuest(name) && html`<span class="sr-only"> (guest)</span>`}
  `;
}

/** Draws the text, and behind it what was done to it. @param {{message: Row | PendingPost}} props */
function Said({ message }) {
  const text = html`<${Text} id=${message.id} message=${message.message} />`;
  if (!("seq" in message) || !(message.edits || message.pinned_at || message.operations)) return text;
  return html`<div class="said" aria-live="off">${text}<${Marks} message=${message} /></div>`;
}

/** Draws what hangs on a message. Most have nothing. @param {{room: Room, message: Row, isInThread?: boolean}} props */
function Extras({ room, message, isInThread }) {
  return html`
    ${message.not_here && html`<${NotHere} room=${room} message=${message} />`}
    ${message.operations && html`<${RefusedOperations} room=${room} message=${message} />`}
    ${message.reactions && html`<${Reactions} room=${room} message=${message} />`}
    ${!isInThread && html`<${RepliesButton} room=${room} root=${message} />`}
  `;
}

/** @param {{iso: string, today: string}} props */
export function Day({ iso, today }) {
  return html`<p class="day"><time datetime=${iso}>${dayName(iso, today)}</time></p>`;
}
