import { html } from "../html.js";
import { name as myName } from "../me.js";
import { tint } from "../text.js";
import { dayName, fullDate, timeOfDay } from "../time.js";
import { Avatar } from "./avatar.js";
import { Text } from "./text.js";

/** @typedef {import("../messages.js").Posted} Posted */
/** @typedef {import("../room/posts.js").PendingPost} PendingPost */

/**
 * One message. The first of a group shows who said it; for those after it the name is there for screen readers only.
 * @param {{message: Posted | PendingPost, first: boolean, state?: "waiting" | "pending" | "failed", children?: any}} props
 */
export function Message({ message, first, state, children }) {
  const mine = message.name === myName.value;
  const classes = ["message", first && "first", mine && "mine", state].filter(Boolean).join(" ");
  return html`
    <article class=${classes} data-id=${message.id} data-seq=${"seq" in message ? message.seq : undefined} data-state=${state ?? "said"}>
      ${first && html`<${Avatar} name=${message.name} />`}
      <div class=${first ? "byline" : "byline again"}>
        <bdi class="author tint-${tint(message.name)}">${message.name}</bdi>
        ${mine && html`<span class="you">you</span>`}
        <time datetime=${message.inserted_at} title=${fullDate(message.inserted_at)}>${timeOfDay(message.inserted_at)}</time>
      </div>
      <${Text} message=${message.message} />
      ${state === "pending" && html`<span class="sending">${"seq" in message ? "saving…" : "sending…"}</span>`}
      ${children}
    </article>
  `;
}

/** @param {{iso: string, today: string}} props */
export function Day({ iso, today }) {
  return html`<p class="day"><time datetime=${iso}>${dayName(iso, today)}</time></p>`;
}
