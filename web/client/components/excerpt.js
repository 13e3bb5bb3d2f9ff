import { html } from "../html.js";
import { excerptOf } from "../text/excerpt.js";
import { tint } from "../text/names.js";

/** @typedef {import("../room/room.js").Room} Room */

/**
 * Draws another message in one line, as it is now: edits and deletions show through.
 *
 * @param {{room: Room, seq: number}} props
 */
export function Excerpt({ room, seq }) {
  const original = room.quoteOf(seq);
  if (original === undefined) return html`<span class="excerpt">…</span>`;
  if (original === null) return html`<span class="excerpt">original not found</span>`;
  if (original.deleted_at) return html`<span class="excerpt">original deleted</span>`;
  return html`
    <bdi class="author tint-${tint(original.name)}">${original.name}</bdi>${" "}
    <span class="excerpt" dir="auto">${excerptOf(original.message)}</span>
  `;
}
