import { effect, untracked } from "@preact/signals";
import { message, slug } from "./browser/route.js";

/** @typedef {import("./room/room.js").Room} Room */

/**
 * Shows the message in the address bar. When the address loses it, the room shows what it did before, except where the
 * person has dismissed what was said about the message: they read on.
 *
 * @param {{readonly value: Room}} current
 */
export function followMessageLinks(current) {
  /** @type {Room | null} the room whose message was in the address */
  let linked = null;
  effect(() => {
    const room = current.value;
    const link = message.value;
    if (room.slug !== slug.value) return; // the room on the screen follows the address in a moment
    untracked(() => {
      if (link) room.showMessage(link.seq);
      else if (linked === room && room.detached.target.peek()) room.closeMessage();
    });
    linked = link && room;
  });
}
