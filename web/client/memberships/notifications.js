/** Notifications of the desktop, while a page is open: of what the person wants to notice and does not look at. */

import { effect, signal, untracked } from "@preact/signals";
import { isLooking } from "../browser/looking.js";
import { load, save } from "../browser/storage.js";
import { MINE } from "../messages.js";
import { callsMe, isMine } from "../me.js";
import { excerptOf } from "../text/excerpt.js";
import { levelOf } from "./levels.js";
import { memberships } from "./memberships.js";
import { myTopic } from "./my-topic.js";
import { labelOfRoom } from "./titles.js";

/** @typedef {import("../room/room.js").Room} Room */
/** @typedef {{name: string, text: string}} Said */

const KEY = "notify";
/** Whoever reads the message elsewhere, or in another tab, says so within a second. */
const PATIENCE_MS = 1500;

/** The person wants notifications in this browser. */
export const isNotifying = signal(load(KEY) === "yes" && permission() === "granted");

/** By slug, the notification that is shown. @type {Map<string, Notification>} */
const shown = new Map();

/** Whether this browser has notifications, in such a context. */
export function mayNotify() {
  return permission() !== undefined;
}

/** Turns notifications on or off. Returns why they stay off; empty if all is well. */
export async function toggleNotifications() {
  if (isNotifying.peek()) return remember(false);
  const answer = permission() === "granted" ? "granted" : await Notification.requestPermission();
  remember(answer === "granted");
  return answer === "granted" ? "" : "Your browser does not let this page notify you.";
}

/**
 * Shows a notification of each message that the person wants to notice, unless it is read meanwhile.
 *
 * @param {{readonly value: Room}} current
 * @param {(slug: string) => void} open shows a room
 */
export function watchNotifications(current, open) {
  const notify = (/** @type {string} */ slug, /** @type {number} */ seq, /** @type {Said} */ said) =>
    setTimeout(() => isUnread(slug, seq) && isNotifying.peek() && show(slug, seq, said, open), PATIENCE_MS);
  followActivity(notify);
  followRoom(current, notify);
  myTopic.listen((event, { slug }) => {
    if (event === MINE.read || event === MINE.removed) closeIfRead(slug);
  });
}

// ---- Internal

/** @typedef {(slug: string, seq: number, said: Said) => void} Notify */

/** Follows the rooms that are not on the screen. @param {Notify} notify */
function followActivity(notify) {
  /** By slug, the messages and mentions that the page knows of. @type {Map<string, {last_nth: number, mentions: number}>} */
  const known = new Map();
  myTopic.snapshots.subscribe(() => [...memberships.peek()].forEach(([slug, room]) => known.set(slug, room)));
  myTopic.listen((event, { slug }) => {
    const room = memberships.peek().get(slug);
    if (!room || (event !== MINE.activity && event !== MINE.read)) return;
    const before = known.get(slug) ?? { last_nth: 0, mentions: 0 };
    known.set(slug, room);
    const isNews = room.last_nth > before.last_nth || room.mentions > before.mentions; // else a message was changed
    if (event !== MINE.activity || !isNews || !room.last?.text) return;
    if (isWanted(slug, room.mentions > before.mentions)) notify(slug, room.last_seq, room.last);
  });
}

/** Follows the room on the screen, while the person looks at another window. @param {{readonly value: Room}} current @param {Notify} notify */
function followRoom(current, notify) {
  let [slug, heardTo] = ["", 0];
  effect(() => {
    const room = current.value;
    const messages = room.hasLoaded.value ? room.history.messages.value : [];
    const news = room.slug === slug ? messages.filter(({ seq }) => seq > heardTo) : [];
    [slug, heardTo] = [room.slug, messages.at(-1)?.seq ?? 0];
    untracked(() => {
      const last = news.findLast((message) => !isMine(message) && isWanted(slug, callsMe(message)));
      if (last && !isLooking.peek()) notify(slug, last.seq, { name: last.name, text: last.message });
    });
  });
}

/** @param {string} slug @param {boolean} isNamed */
function isWanted(slug, isNamed) {
  const room = memberships.peek().get(slug);
  const level = room && !room.hidden ? levelOf(room) : "nothing";
  return level === "everything" || (level === "mentions" && isNamed);
}

/** @param {string} slug @param {number} seq */
function isUnread(slug, seq) {
  const room = memberships.peek().get(slug);
  return room !== undefined && room.read_seq < seq;
}

/** @param {string} slug @param {number} seq @param {Said} said @param {(slug: string) => void} open */
function show(slug, seq, { name, text }, open) {
  const room = labelOfRoom(slug);
  const title = room === name ? name : `${name} in ${room}`;
  shown.get(slug)?.close();
  // Of several tabs that show the same message the browser shows one.
  const notification = new Notification(title, {
    body: excerptOf(withWholeSpoilers(text)),
    tag: `${slug} ${seq}`,
    icon: "/client/icons/icon-192.png",
  });
  notification.onclick = () => {
    window.focus();
    open(slug);
    notification.close();
  };
  shown.set(slug, notification);
}

/** Ends a spoiler that goes on behind the part of a message that the server tells. @param {string} text */
function withWholeSpoilers(text) {
  return text.split("||").length % 2 ? text : `${text}||`;
}

/** @param {string} slug */
function closeIfRead(slug) {
  const room = memberships.peek().get(slug);
  if (room && room.read_seq < room.last_seq) return;
  shown.get(slug)?.close();
  shown.delete(slug);
}

/** @param {boolean} isOn */
function remember(isOn) {
  isNotifying.value = isOn;
  save(KEY, isOn ? "yes" : "");
  return "";
}

/** @returns {NotificationPermission | undefined} undefined where there are none */
function permission() {
  return globalThis.isSecureContext ? globalThis.Notification?.permission : undefined;
}
