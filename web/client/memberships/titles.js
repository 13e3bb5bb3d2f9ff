/** What rooms are called: by their titles, by who is in them, or by their slugs. */

import { signal } from "@preact/signals";
import { account } from "../me.js";
import { isPrivateSlug } from "../messages.js";
import { membershipOf } from "./memberships.js";
import { removed } from "./removed.js";

/** @typedef {import("../messages.js").MyRoom} MyRoom */
/** @typedef {import("../messages.js").RoomKind} RoomKind */
/** @typedef {import("../messages.js").Companion} Companion */

/** @type {Record<string, RoomKind>} */
const KINDS = { p: "private", d: "direct", g: "group" };
/** How many people a group without a title names. */
const NAMED = 4;

/** What other rooms are called, by slug, as far as this page has heard. Replaced, never changed. */
const heard = signal(/** @type {Map<string, string>} */ (new Map()));

/** Notes what rooms are called; empty where that is the slug. @param {{slug: string, title?: string}[]} rooms */
export function learnTitles(rooms) {
  const news = rooms.filter(({ slug, title = "" }) => title !== (heard.peek().get(slug) ?? ""));
  if (news.length)
    heard.value = new Map([
      ...heard.peek(),
      ...news.map(({ slug, title = "" }) => /** @type {const} */ ([slug, title])),
    ]);
}

/** @param {string} slug @returns {RoomKind} */
export function kindOf(slug) {
  return (isPrivateSlug(slug) && KINDS[slug.charAt(0)]) || "public";
}

/** Returns who else is in a direct room or a group. Reads a signal. @param {MyRoom} room */
export function othersIn(room) {
  return (room.with ?? []).filter(({ id }) => id !== account.value?.id);
}

/** Returns what a room is called. Reads signals. @param {string} slug */
export function titleOf(slug) {
  const room = membershipOf(slug);
  if (room) return titleOfRoom(room);
  const left = removed.value.get(slug)?.title;
  if (left) return left;
  return heard.value.get(slug) || (isPrivateSlug(slug) ? "Private room" : slug);
}

/** Returns what a room is called where its kind is not seen: with a # if people know it by its slug. @param {string} slug */
export function labelOfRoom(slug) {
  const title = titleOf(slug);
  return title === slug ? `#${slug}` : title;
}

/** Returns what one's own room is called. Reads a signal. @param {MyRoom} room */
export function titleOfRoom(room) {
  if (room.title) return room.title;
  if (room.kind === "direct") return nameOf(othersIn(room)[0]) ?? "Notes to yourself";
  if (room.kind === "group") return namesOf(othersIn(room)) || "Only you";
  return room.kind === "public" ? room.slug : "Private room";
}

/** Whether a room is called by who else is in it. Reads a signal. @param {string} slug */
export function isCalledByPeople(slug) {
  const room = membershipOf(slug);
  return room !== undefined && !room.title && othersIn(room).length > 0;
}

/** @param {Companion | undefined} person whose name is empty once the account is deleted */
function nameOf(person) {
  return person && (person.name || person.handle || "Deleted account");
}

/** @param {Companion[]} people */
function namesOf(people) {
  const named = people.slice(0, NAMED).map(nameOf);
  return [...named, ...(people.length > NAMED ? [`${people.length - NAMED} more`] : [])].join(", ");
}
