import { html } from "../../html.js";
import { Beginning, NotYet, Quiet, Skeleton } from "./placeholders.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Posted} Posted */

/**
 * Draws what is above the oldest message.
 *
 * @param {{room: Room, held: Posted[], isCut: import("@preact/signals").ReadonlySignal<boolean>}} props
 */
export function Top({ room, held, isCut }) {
  const empty = !held.length;
  if (empty && room.state.value === "refused") return null;
  if (empty && (!room.hasLoaded.value || room.detached.isBlank.value))
    return isCut.value ? html`<${NotYet} slug=${room.slug} />` : html`<${Skeleton} />`;
  if (empty) return room.posts.pending.value.length ? null : html`<${Quiet} room=${room} />`;
  if (room.detached.shown.value.hasMore.value)
    return html`<p class="older">${room.loadingOlder.value ? "Loading older messages…" : ""}</p>`;
  return html`<${Beginning} room=${room} first=${held[0]} />`;
}

/** Draws what is below a run that is apart from the newest messages. @param {{room: Room}} props */
export function Bottom({ room }) {
  return html`<p class="older">${room.detached.loadingNewer.value ? "Loading newer messages…" : ""}</p>`;
}
