import { html } from "../../html.js";
import { name as myName } from "../../me.js";
import { tint } from "../../text/names.js";
import { dayName, fullDate, timeOfDay } from "../../time.js";
import { Avatar } from "../avatar.js";
import { Text } from "./text.js";

/** @typedef {import("../../messages.js").Posted} Posted */
/** @typedef {import("../../room/posts.js").PendingPost} PendingPost */

/**
 * @typedef {object} MessageProps
 * @property {Posted | PendingPost} message
 * @property {boolean} first of its group
 * @property {"waiting" | "pending" | "failed"} [state] of a message that is not saved
 * @property {boolean} [isTarget] the address names it
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
export function Message({ message, first, state, isTarget, children }) {
  const mine = message.name === myName.value;
  const classes = ["message", first && "first", mine && "mine", isTarget && "target", state].filter(Boolean).join(" ");
  const seq = "seq" in message ? message.seq : undefined;
  const time = message.inserted_at;
  return html`
    <article
      class=${classes}
      data-id=${message.id}
      data-seq=${seq}
      data-state=${state ?? "said"}
      tabindex="-1"
      aria-current=${isTarget ? "location" : undefined}
    >
      ${first && html`<${Avatar} name=${message.name} />`}
      <div class=${first ? "byline" : "byline again"}>
        <bdi class="author tint-${tint(message.name)}">${message.name}</bdi>
        ${mine && html`<span class="you">you</span>`}
        <time datetime=${time} title=${fullDate(time)}>${timeOfDay(time)}</time>
      </div>
      <${Text} id=${message.id} message=${message.message} />
      ${state === "pending" && html`<span class="sending">${seq === undefined ? "sending…" : "saving…"}</span>`}
      ${children}
    </article>
  `;
}

/** @param {{iso: string, today: string}} props */
export function Day({ iso, today }) {
  return html`<p class="day"><time datetime=${iso}>${dayName(iso, today)}</time></p>`;
}
