/** What the server says of accounts, from the last visit at first. */

import { computed, effect, signal } from "@preact/signals";
import { shared } from "../browser/web-storage.js";

/**
 * @typedef {object} ServerInfo
 * @property {"guests" | "required"} accounts whether guests may talk
 * @property {"open" | "invite" | "closed"} sign_up
 * @property {"off" | "not_installed" | "insecure" | "address" | null} [no_passkeys] why there are none at this address
 * @property {number} [password_min] the shortest password, in characters
 * @property {number} [leave_days] how long one can come back who has left
 * @property {boolean} has_accounts somebody has an account: then guests are shown as guests
 */

/** The same whoever is signed in. */
const KEY = "chatter:server";

/** Null where there are no accounts, or nothing is known of them yet. */
export const server = signal(/** @type {ServerInfo | null} */ (shared.readJson(KEY)));

/** Guests may not talk. */
export const isRequired = computed(() => server.value?.accounts === "required");

/** Accounts are made by an admin alone. */
export const isSignUpClosed = computed(() => server.value?.sign_up === "closed");

/** @type {() => void} */
let answer;
/** Resolves once the server itself has said in this visit what `server` is. */
export const hasAnswered = new Promise((/** @type {(nothing: void) => void} */ resolve) => (answer = resolve));

/** An account was seen in a room, whatever the server has said so far. */
const hasSeenOne = signal(false);

/** Some people have accounts, so that the others are to be seen as guests. */
export const hasAccounts = computed(() => hasSeenOne.value || (server.value?.has_accounts ?? false));

/** @param {ServerInfo | null} next null where there are no accounts */
export function learnServer(next) {
  answer();
  if (JSON.stringify(next) === JSON.stringify(server.peek())) return;
  server.value = next;
  shared.writeJson(KEY, next);
}

/** So many messages are looked at: a busy room must not cost more the longer it is. */
const LATELY = 100;

/**
 * Notes that somebody has an account once one is in the room, or has spoken there: the server says so once, after the
 * page has begun.
 *
 * @param {{readonly value: import("../room/room.js").Room}} current
 */
export function watchForAccounts(current) {
  effect(() => {
    if (hasAccounts.value) return;
    const { people, history } = current.value;
    if (![...people.listed.value, ...history.messages.value.slice(-LATELY)].some(({ author }) => author)) return;
    hasSeenOne.value = true;
    const known = server.peek();
    if (known) learnServer({ ...known, has_accounts: true });
  });
}
