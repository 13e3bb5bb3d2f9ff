import { effect, signal } from "@preact/signals";
import { name } from "./me.js";
import { lastSeen, markSeen } from "./rooms.js";

/** @typedef {import("./room/room.js").Room} Room */
/** @typedef {{readonly value: Room}} Current */

const hidden = signal(false);

/** Keep count of what the person has not seen: in the tab's title, and as a line in the conversation. @param {Current} current */
export function countUnread(current) {
  const update = () => (hidden.value = document.visibilityState === "hidden");
  document.addEventListener("visibilitychange", update);
  update();
  trackLookingAway(current);
  trackSeen(current);
  countInTitle(current);
}

/** A person looks away by hiding the page or by going to another room. @param {Current} current */
function trackLookingAway(current) {
  effect(() => {
    const room = current.value;
    return hidden.value ? undefined : () => room.lookedAway();
  });
}

/** What is on the screen is seen; what was not yet, at the first visit in this tab, is marked before. @param {Current} current */
function trackSeen(current) {
  /** @type {Set<Room>} */
  const visited = new Set();
  effect(() => {
    const room = current.value;
    if (hidden.value || !room.hasLoaded.value) return;
    if (!visited.has(room)) room.firstNewSeq.value = firstUnseenSeq(room);
    visited.add(room);
    const newest = room.history.messages.value.at(-1);
    if (newest) markSeen(room.slug, newest.inserted_at);
  });
}

/** At the first visit in this tab, what an earlier one has seen tells. If even the oldest held is new, the line would stand wrong. @param {Room} room */
function firstUnseenSeq(room) {
  const time = lastSeen.peek()[room.slug];
  const messages = room.history.messages.peek();
  const at = time ? messages.findIndex((message) => message.inserted_at > time) : 0;
  return at > 0 ? (messages[at]?.seq ?? 0) : 0;
}

/** While nobody looks, the title counts what the others say. @param {Current} current */
function countInTitle(current) {
  let readTo = 0;
  effect(() => {
    const { history, slug } = current.value;
    if (!hidden.value) readTo = history.messages.value.at(-1)?.seq ?? 0;
    const unread = history.after(readTo).filter((message) => message.name !== name.value).length;
    document.title = `${unread ? `(${unread}) ` : ""}#${slug} · Chatter`;
  });
}
