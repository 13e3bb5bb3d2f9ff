/** What is heard in rooms that are joined: the topic `me` says nothing of these. */

import { effect, untracked } from "@preact/signals";
import { callsMe } from "../me.js";
import { goOn, memberships } from "./memberships.js";

/** @typedef {import("../room/room.js").Room} Room */

/**
 * Counts the messages of all rooms that this page hears.
 *
 * @param {{readonly value: Room[]}} rooms that were visited in this tab
 */
export function watchHeard(rooms) {
  /** @type {Set<Room>} */
  const followed = new Set();
  effect(() => {
    const added = rooms.value.filter((room) => !followed.has(room));
    untracked(() => added.forEach((room) => follow(followed.add(room) && room)));
  });
}

/** @param {Room} room */
function follow({ slug, state, history }) {
  effect(() => {
    const messages = history.messages.value;
    const last = messages.at(-1);
    const mine = memberships.peek().get(slug);
    if (state.value !== "joined" || !last || !mine || last.seq <= mine.last_seq) return;
    const { nth = last.seq, seq } = last;
    untracked(() => {
      const named = history.after(Math.max(mine.read_seq, mine.last_seq)).filter(callsMe).length;
      goOn(slug, { last_seq: seq, last_nth: nth, mentions: mine.mentions + named });
    });
  });
}
