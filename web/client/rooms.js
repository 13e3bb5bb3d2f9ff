import { signal } from "@preact/signals";
import { load, save } from "./browser/storage.js";

/** @typedef {import("./messages.js").RoomSummary} RoomSummary */

const REFRESH_MS = 12_000;

/** All rooms there are, the most recently used first. */
export const rooms = signal(/** @type {RoomSummary[]} */ ([]));

/** Rooms opened in this tab. One where nobody said anything is not in the server's list. */
const opened = signal(/** @type {string[]} */ ([]));

/** @param {string} slug */
export function addOpened(slug) {
  if (!opened.peek().includes(slug)) opened.value = [slug, ...opened.peek()];
}

/** What to show, for somebody in the room `here` with so many people. @param {string} here @param {number} people @returns {RoomSummary[]} */
export function listRooms(here, people) {
  const known = rooms.value.map((room) => room.name);
  const unknown = opened.value.filter((name) => !known.includes(name));
  const all = [...unknown.map((name) => ({ name, last_message_at: null, people: 0 })), ...rooms.value];
  // Who is here is known better than by the list, which is seconds old.
  return all.map((room) => (room.name === here && people ? { ...room, people } : room));
}

/** For each room the time of the newest message that this browser has seen, by the server's clock. */
export const lastSeen = signal(/** @type {Record<string, string>} */ (parse(load("seen"))));

export async function refreshRooms() {
  try {
    const response = await fetch("/api/rooms", { headers: { accept: "application/json" } });
    if (response.ok) rooms.value = (await response.json()).rooms;
  } catch {
    // The connection's state is told elsewhere; the old list is better than none.
  }
}

/** Refresh while somebody looks. */
export function watchRooms() {
  const look = () => document.visibilityState === "visible" && refreshRooms();
  setInterval(look, REFRESH_MS);
  document.addEventListener("visibilitychange", look);
  refreshRooms();
}

/** @param {string} slug @param {string} time */
export function markSeen(slug, time) {
  if ((lastSeen.peek()[slug] ?? "") >= time) return;
  lastSeen.value = { ...lastSeen.peek(), [slug]: time };
  save("seen", JSON.stringify(lastSeen.peek()));
}

/** Something was said since this browser last looked. A room it never visited has no news. @param {RoomSummary} room */
export function hasNews({ name, last_message_at }) {
  const time = lastSeen.value[name];
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
