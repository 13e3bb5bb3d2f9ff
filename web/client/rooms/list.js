import { signal } from "@preact/signals";
import { LOBBY } from "../browser/route.js";
import { follow, load, save } from "../browser/storage.js";
import { drafted } from "../drafts.js";
import { adoptChoices, choices, choose } from "./choices.js";
import { adoptMarks, storeMarks } from "./seen.js";

/** @typedef {import("../messages.js").RoomSummary} RoomSummary */
/** @typedef {import("./choices.js").Choices} Choices */

/** News of other rooms may be seconds old. Each visible page costs one request in this time. */
const REFRESH_MS = 12_000;
/** The title of a hidden page counts them, too, yet nobody waits for it. */
const HIDDEN_REFRESH_MS = 60_000;
/** The key of the last list in localStorage: without its server the page shows that. */
const KEPT = "list";

/** The server's list of rooms, the most recently used first. */
export const rooms = signal(parse(load(KEPT)));

/** The slugs opened in this tab: the server's list lacks a room without messages. */
const opened = signal(/** @type {string[]} */ ([]));

/** Notes a room on the screen, which brings one back that was closed. @param {string} slug */
export function addOpened(slug) {
  choose("closed", slug, false);
  if (!opened.peek().includes(slug)) opened.value = [slug, ...opened.peek()];
}

/** Returns what the server says of a room. @param {string} slug */
export function summaryOf(slug) {
  return rooms.value.find((room) => room.name === slug) ?? unknown(slug);
}

/** Returns all rooms that are known, in the order of the sidebar, also those that the person has closed. */
export function allRooms() {
  const names = [...opened.value, ...choices.value.pinned, ...drafted.value, LOBBY];
  const known = new Set(rooms.value.map((room) => room.name));
  const missing = [...new Set(names)].filter((name) => !known.has(name));
  return sortRooms([...missing.map(unknown), ...rooms.value], choices.value);
}

/** Returns the rooms of the sidebar. @param {string} here the room on the screen */
export function listRooms(here) {
  const { closed } = choices.value;
  return allRooms().filter(({ name }) => name === here || !closed.includes(name));
}

/**
 * Puts the lobby first, then the pinned rooms in the order of their pinning. The others stay as they are.
 *
 * @param {RoomSummary[]} list
 * @param {Pick<Choices, "pinned">} choices
 */
export function sortRooms(list, { pinned }) {
  const first = [LOBBY, ...pinned];
  const rank = ({ name = "" }) => (first.includes(name) ? first.indexOf(name) : first.length);
  return list.toSorted((a, b) => rank(a) - rank(b));
}

export async function refreshRooms() {
  try {
    const response = await fetch("/api/rooms", { headers: { accept: "application/json" } });
    if (!response.ok) return;
    rooms.value = (await response.json()).rooms;
    save(KEPT, JSON.stringify(rooms.peek()));
  } catch {
    // The old list is better than none; the banner tells of a lost connection.
  }
}

/** Refreshes the list regularly, less often while the page is hidden, and follows what other tabs keep about rooms. */
export function watchRooms() {
  const refreshIfVisible = () => document.visibilityState === "visible" && refreshRooms();
  setInterval(refreshIfVisible, REFRESH_MS);
  setInterval(() => document.visibilityState === "hidden" && refreshRooms(), HIDDEN_REFRESH_MS);
  document.addEventListener("visibilitychange", refreshIfVisible);
  for (const end of ["pagehide", "visibilitychange"]) addEventListener(end, storeMarks); // the page may end there
  follow("seen", adoptMarks);
  follow("rooms", adoptChoices);
}

/** @param {string} name @returns {RoomSummary} */
function unknown(name) {
  return { name, seq: 0, last_message_at: null, people: 0 };
}

/** @param {string} json @returns {RoomSummary[]} */
function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return [];
  }
}
