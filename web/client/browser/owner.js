/**
 * Whose page this is: the account that this browser was signed in with last, or a guest.
 *
 * It is known at once, from localStorage, and stays the same as long as the page lives: signing in or out ends with a
 * reload. It is never a secret. What the browser keeps for an account has a prefix of its own, so that the next person
 * neither reads nor sends what the last one wrote.
 */

import { fromJson, ofTab, shared } from "./web-storage.js";

/** @typedef {{id: number, handle: string, name: string}} Account */

const KEY = "chatter:account";
/** The ids of the accounts that have been signed out here: whatever another tab still keeps for them goes too. */
const ENDED = "chatter:ended";
const OUTBOXES = ["posts", "operations"];

/** The account at the start; null for a guest. */
export const owner = accountOf(shared.readJson(KEY));

/** What the names of all that is kept for this person begin with. */
export const PREFIX = prefixOf(owner?.id);

/** The person is signed out, and nothing is kept for them any more. */
let isOver = false;

/** Whether anything may still be kept for this person. */
export function mayKeep() {
  return !isOver;
}

/** Returns the name of the database of unsent posts or operations. @param {"posts" | "operations"} what */
export function databaseName(what) {
  if (owner) return PREFIX + what;
  return what === "posts" ? "chatter" : "chatter-operations";
}

/**
 * Notes who is signed in here from now on. The page is to be loaded anew if it is somebody else.
 *
 * @param {Account} account
 * @returns {boolean} whether the browser keeps it
 */
export function storeAccount({ id, handle, name }) {
  keepEnded(endedIds().filter((each) => each !== id));
  return shared.writeJson(KEY, { id, handle, name });
}

/** Forgets the account, but nothing that is kept for it. */
export function removeAccount() {
  shared.write(KEY, "");
}

/** Calls `act` when another tab signs in or out, or changes the account. @param {(account: Account | null) => void} act */
export function followAccount(act) {
  addEventListener("storage", ({ key, newValue }) => {
    if (key === KEY || key === null) act(accountOf(fromJson(newValue)));
  });
}

/** Keeps nothing more for this person: the page goes on for another, or is about to be loaded anew for one. */
export function stopKeeping() {
  isOver = true;
}

/** Removes all that is kept for an account, now and at each start until it is signed in again. @param {number} id */
export async function dropAll(id) {
  if (id === owner?.id) stopKeeping();
  keepEnded([...new Set([...endedIds(), id])]);
  await drop(id);
}

/** Removes what tabs have kept that were open while an account was signed out. */
export function dropLeftovers() {
  for (const id of endedIds()) if (id !== owner?.id) drop(id);
}

/** @param {number | undefined} id @returns {string} */
export function prefixOf(id) {
  return id === undefined ? "chatter:" : `chatter:@${id}:`;
}

// ---- Internal

/** @param {number} id */
async function drop(id) {
  const prefix = prefixOf(id);
  for (const kept of [shared, ofTab]) for (const key of kept.keysFrom(prefix)) kept.write(key, "");
  await Promise.all(OUTBOXES.map((what) => deleteDatabase(prefix + what)));
}

/** Deletes a database, as soon as all tabs have closed it. @param {string} name */
function deleteDatabase(name) {
  return new Promise((resolve) => {
    try {
      const deleting = indexedDB.deleteDatabase(name);
      deleting.onsuccess = deleting.onerror = deleting.onblocked = resolve;
    } catch {
      resolve(undefined); // forbidden
    }
  });
}

/** @returns {number[]} */
function endedIds() {
  return shared.readJson(ENDED) ?? [];
}

/** @param {number[]} ids */
function keepEnded(ids) {
  shared.writeJson(ENDED, ids.length ? ids : null);
}

/** @param {any} kept @returns {Account | null} null for a guest */
function accountOf(kept) {
  const { id, handle, name } = kept ?? {};
  return Number.isInteger(id) ? { id, handle: String(handle), name: String(name) } : null;
}
