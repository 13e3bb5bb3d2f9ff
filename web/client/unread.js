import { effect, signal } from "@preact/signals";
import { name } from "./me.js";
import { see, seen } from "./rooms.js";

/** @typedef {import("./room/room.js").Room} Room */
/** @typedef {{readonly value: Room}} Current */

const hidden = signal(false);

/** Keep count of what the person has not seen: in the tab's title, and as a line in the conversation. @param {Current} current */
export function countUnread(current) {
  const look = () => (hidden.value = document.visibilityState === "hidden");
  document.addEventListener("visibilitychange", look);
  look();
  followEyes(current);
  markSeen(current);
  countInTitle(current);
}

/** A person looks away by hiding the page or by going to another room. @param {Current} current */
function followEyes(current) {
  effect(() => {
    const room = current.value;
    return hidden.value ? undefined : () => room.lookAway();
  });
}

/** What is on the screen is seen; what was not yet, at the first visit in this tab, is marked before. @param {Current} current */
function markSeen(current) {
  /** @type {Set<Room>} */
  const visited = new Set();
  effect(() => {
    const room = current.value;
    if (hidden.value || !room.welcomed.value) return;
    if (!visited.has(room)) room.newFrom.value = firstUnseen(room);
    visited.add(room);
    const newest = room.history.said.value.at(-1);
    if (newest) see(room.slug, newest.inserted_at);
  });
}

/** At the first visit in this tab, what an earlier one has seen tells. If even the oldest held is new, the line would stand wrong. @param {Room} room */
function firstUnseen(room) {
  const time = seen.peek()[room.slug];
  const said = room.history.said.peek();
  const at = time ? said.findIndex((message) => message.inserted_at > time) : 0;
  return at > 0 ? (said[at]?.seq ?? 0) : 0;
}

/** While nobody looks, the title counts what the others say. @param {Current} current */
function countInTitle(current) {
  let readTo = 0;
  effect(() => {
    const { history, slug } = current.value;
    if (!hidden.value) readTo = history.said.value.at(-1)?.seq ?? 0;
    const unread = history.after(readTo).filter((message) => message.name !== name.value).length;
    document.title = `${unread ? `(${unread}) ` : ""}#${slug} · Chatter`;
  });
}
