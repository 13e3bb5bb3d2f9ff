import { signal } from "@preact/signals";
import { recall, remember } from "./browser/storage.js";

/** @typedef {import("./messages.js").RoomSummary} RoomSummary */

const EVERY_MS = 12_000;

/** All rooms there are, the most recently used first. */
export const rooms = signal(/** @type {RoomSummary[]} */ ([]));

/** Rooms opened in this tab. One where nobody said anything is not in the server's list. */
const opened = signal(/** @type {string[]} */ ([]));

/** @param {string} slug */
export function open(slug) {
  if (!opened.peek().includes(slug)) opened.value = [slug, ...opened.peek()];
}

/** What to show, for somebody in the room `here` with so many people. @param {string} here @param {number} people @returns {RoomSummary[]} */
export function listed(here, people) {
  const known = rooms.value.map((room) => room.name);
  const unknown = opened.value.filter((name) => !known.includes(name));
  const all = [...unknown.map((name) => ({ name, last_message_at: null, people: 0 })), ...rooms.value];
  // Who is here is known better than by the list, which is seconds old.
  return all.map((room) => (room.name === here && people ? { ...room, people } : room));
}

/** For each room the time of the newest message that this browser has seen, by the server's clock. */
export const seen = signal(/** @type {Record<string, string>} */ (parse(recall("seen"))));

export async function refresh() {
  try {
    const response = await fetch("/api/rooms", { headers: { accept: "application/json" } });
    if (response.ok) rooms.value = (await response.json()).rooms;
  } catch {
    // The connection's state is told elsewhere; the old list is better than none.
  }
}

/** Refresh while somebody looks. */
export function watchRooms() {
  const look = () => document.visibilityState === "visible" && refresh();
  setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look);
  refresh();
}

/** @param {string} slug @param {string} time */
export function see(slug, time) {
  if ((seen.peek()[slug] ?? "") >= time) return;
  seen.value = { ...seen.peek(), [slug]: time };
  remember("seen", JSON.stringify(seen.peek()));
}

/** Something was said since this browser last looked. A room it never visited has no news. @param {RoomSummary} room */
export function hasNews({ name, last_message_at }) {
  const time = seen.value[name];
  return Boolean(time && last_message_at && last_message_at > time);
}

/** @param {string} json */
function parse(json) {
  try {
    return Object(JSON.parse(json));
  } catch {
    return {};
  }
}
