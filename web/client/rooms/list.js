import { signal } from "@preact/signals";
import { follow, load, save } from "../browser/storage.js";

/** @typedef {import("../messages.js").RoomSummary} RoomSummary */
/** @typedef {import("../room/history.js").History} History */
/** @typedef {{seq: number, at: string}} Place a message's place in its room, and the server's time of it */

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

/** By slug, the newest place that this browser has shown. */
export const lastSeen = signal(parse(load("seen")));

/** By slug, what this tab has shown. @type {Map<string, History>} */
const shown = new Map();

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
  follow("seen", (json) => (lastSeen.value = parse(json)));
}

/** Marks what a room holds as seen. @param {string} slug @param {History} history */
export function markSeen(slug, history) {
  const { last: seq, lastAt: at } = history;
  const known = lastSeen.peek().get(slug);
  shown.set(slug, history);
  if (!seq || (known?.seq === seq && known.at === at)) return;
  lastSeen.value = new Map(lastSeen.peek()).set(slug, { seq, at });
  save("seen", JSON.stringify([...lastSeen.peek()]));
}

/**
 * Whether the newest message of a room is one that this browser has not shown. A room never visited has no news.
 *
 * The time only tells messages apart: the server's clock may be set back, so a later message may have an earlier time.
 *
 * @param {RoomSummary} room
 */
export function hasNews({ name, last_message_at }) {
  const place = lastSeen.value.get(name);
  if (!place || !last_message_at || last_message_at === place.at) return false;
  // The list may be older than what was shown.
  return !shown.get(name)?.holds(last_message_at);
}

/** @param {string} json @returns {Map<string, Place>} */
function parse(json) {
  try {
    return new Map(JSON.parse(json));
  } catch {
    return new Map();
  }
}
