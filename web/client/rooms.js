import { signal } from "@preact/signals";
import { load, save } from "./browser/storage.js";

/** @typedef {import("./messages.js").RoomSummary} RoomSummary */

/** News of other rooms may be seconds old. Each visible page costs one request in this time. */
const REFRESH_MS = 12_000;

/** The server's list of rooms, the most recently used first. */
export const rooms = signal(/** @type {RoomSummary[]} */ ([]));

/** The slugs opened in this tab: the server's list lacks a room without messages. */
const opened = signal(/** @type {string[]} */ ([]));

/** @param {string} slug */
export function addOpened(slug) {
  if (!opened.peek().includes(slug)) opened.value = [slug, ...opened.peek()];
}

/**
 * Returns the rooms to show.
 *
 * @param {string} here the room on the screen
 * @param {number} people how many are in it
 * @returns {RoomSummary[]}
 */
export function listRooms(here, people) {
  const known = rooms.value.map((room) => room.name);
  const unknown = opened.value.filter((name) => !known.includes(name));
  const all = [...unknown.map((name) => ({ name, last_message_at: null, people: 0 })), ...rooms.value];
  // Presence is newer than the list, which is seconds old.
  return all.map((room) => (room.name === here && people ? { ...room, people } : room));
}

/** By slug, the server's time of the newest message that this browser has shown. */
export const lastSeen = signal(/** @type {Record<string, string>} */ (parse(load("seen"))));

export async function refreshRooms() {
  try {
    const response = await fetch("/api/rooms", { headers: { accept: "application/json" } });
    if (response.ok) rooms.value = (await response.json()).rooms;
  } catch {
    // The old list is better than none; the banner tells of a lost connection.
  }
}

/** Refreshes the list regularly while the page is visible. */
export function watchRooms() {
  const refreshIfVisible = () => document.visibilityState === "visible" && refreshRooms();
  setInterval(refreshIfVisible, REFRESH_MS);
  document.addEventListener("visibilitychange", refreshIfVisible);
  refreshRooms();
}

/** @param {string} slug @param {string} time */
export function markSeen(slug, time) {
  if ((lastSeen.peek()[slug] ?? "") >= time) return;
  lastSeen.value = { ...lastSeen.peek(), [slug]: time };
  save("seen", JSON.stringify(lastSeen.peek()));
}

/**
 * Whether a room has messages that this browser has not shown. A room never visited has no news.
 *
 * @param {RoomSummary} room
 */
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
