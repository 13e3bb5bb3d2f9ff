import { effect, signal } from "@preact/signals";
import { ask } from "../account/api.js";
import { isRequired } from "../account/server.js";
import { LOBBY, slug } from "../browser/route.js";
import { follow, load, save } from "../browser/storage.js";
import { drafts } from "../drafts.js";
import { isSignedIn } from "../me.js";
import { memberships } from "../memberships/memberships.js";
import { learnTitles } from "../memberships/titles.js";
import { isPrivateSlug } from "../messages.js";
import { adoptChoices, choices, choose } from "./choices.js";
import { orderMine, summaryOfMine } from "./mine.js";
import { adoptMarks, marks, storeMarks } from "./seen.js";

/** @typedef {import("../messages.js").RoomSummary} RoomSummary */
/** @typedef {import("./choices.js").Choices} Choices */

/** News of other rooms may be seconds old. Each visible page costs one request in this time. */
const REFRESH_MS = 12_000;
/** The title of a hidden page counts them, too, yet nobody waits for it; who has an account hears of their own rooms. */
const RARE_REFRESH_MS = 60_000;
/** The key of the last list in localStorage: without its server the page shows that. */
const KEPT = "list";

/** The server's list of rooms, the most recently used first. */
export const rooms = signal(parse(load(KEPT)));
learn();

/** The slugs opened in this tab: the server's list lacks a room without messages. */
const opened = signal(/** @type {string[]} */ ([]));

/** Notes a room on the screen, which brings one back that was closed. @param {string} slug */
export function addOpened(slug) {
  choose("closed", slug, false);
  if (!opened.peek().includes(slug)) opened.value = [slug, ...opened.peek()];
}

/** Returns what the server says of a room. @param {string} slug */
export function summaryOf(slug) {
  const mine = memberships.value.get(slug);
  if (mine) return summaryOfMine(mine);
  return rooms.value.find((room) => room.name === slug) ?? unknown(slug);
}

/** Returns all rooms that are known, in the order of the sidebar, also those that the person has closed. */
export function allRooms() {
  const mine = [...memberships.value.values()].map(summaryOfMine);
  const listed = [...mine, ...rooms.value.filter(isOthers)];
  const names = [...opened.value, ...choices.value.pinned, ...drafts.keys.value, LOBBY];
  const known = new Set(listed.map((room) => room.name));
  const missing = [...new Set(names)].filter((name) => !known.has(name)).map(unknown);
  return orderMine(sortRooms([...missing.filter(isOthers), ...listed], choices.value));
}

/**
 * Returns the rooms of the sidebar. Somebody with an account sees their own rooms and those that they have opened; the
 * others are found by a search.
 *
 * @param {string} here the room on the screen
 */
export function listRooms(here) {
  const { closed } = choices.value;
  const isShown = ({ name = "" }) => !isSignedIn.value || memberships.value.has(name) || wasOpened(name);
  const list = allRooms().filter(isShown);
  return list.filter(({ name }) => name === here || !closed.includes(name));
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

/**
 * Refreshes the list where it is of use: to somebody with an account it tells what is new in rooms that they have seen
 * and of which they are no member.
 */
export function refreshIfOfUse() {
  const isSeen = (/** @type {string} */ name) => name !== slug.peek() && isOthers({ name });
  const isOfUse = !isSignedIn.peek() || [...marks.peek().keys()].some(isSeen);
  return isOfUse ? refreshRooms() : undefined;
}

/** Forgets a room in which this person is no more. @param {string} slug */
export function forgetInList(slug) {
  opened.value = opened.peek().filter((name) => name !== slug);
  rooms.value = rooms.peek().filter(({ name }) => name !== slug);
  save(KEPT, JSON.stringify(rooms.peek()));
}

export async function refreshRooms() {
  if (isRequired.peek() && !isSignedIn.peek()) return; // it is not for guests
  try {
    /** @type {{rooms: RoomSummary[]}} */
    const { rooms: listed } = await ask("GET", "/api/rooms");
    // One's own private rooms come with `me`: a page that takes the person for a guest is to keep none.
    rooms.value = listed.filter(({ name }) => !isPrivateSlug(name));
    learn();
    save(KEPT, JSON.stringify(rooms.peek()));
  } catch {
    // The old list is better than none; the banner tells of a lost connection.
  }
}

/** Refreshes the list regularly, less often while the page is hidden, and follows what other tabs keep about rooms. */
export function watchRooms() {
  const refreshIf = (/** @type {DocumentVisibilityState} */ state) =>
    document.visibilityState === state && refreshIfOfUse();
  const refreshIfVisible = () => refreshIf("visible");
  effect(() => {
    const timer = setInterval(refreshIfVisible, isSignedIn.value ? RARE_REFRESH_MS : REFRESH_MS);
    return () => clearInterval(timer);
  });
  setInterval(() => refreshIf("hidden"), RARE_REFRESH_MS);
  document.addEventListener("visibilitychange", refreshIfVisible);
  for (const end of ["pagehide", "visibilitychange"]) addEventListener(end, storeMarks); // the page may end there
  follow("seen", adoptMarks);
  follow("rooms", adoptChoices);
}

function learn() {
  learnTitles(rooms.peek().map(({ name: slug, title }) => ({ slug, title })));
}

/** Whether a room is a public one of which this person is no member. @param {{name: string}} room */
function isOthers({ name }) {
  return !memberships.value.has(name) && !isPrivateSlug(name);
}

/** @param {string} name */
function wasOpened(name) {
  const { pinned } = choices.value;
  return [LOBBY, ...opened.value, ...pinned, ...drafts.keys.value].includes(name) || marks.value.has(name);
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
