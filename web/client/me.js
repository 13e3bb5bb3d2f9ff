/** Who this person is: an account, or a guest with a name. */

import { computed, signal } from "@preact/signals";
import { isRequired } from "./account/server.js";
import { labelOf, sameAuthor } from "./authors.js";
import { owner, storeAccount } from "./browser/owner.js";
import { follow, load, save } from "./browser/storage.js";
import { cleanName } from "./text/cleaning.js";

/** @typedef {import("./browser/owner.js").Account} Account */

/**
 * This person's account; null for a guest. It is the same as long as the page lives; only its name may change. But where
 * the browser keeps nothing, a guest's page goes on as that of who signs in.
 */
export const account = signal(owner);

/** Whether this is the page of an account. */
export const isSignedIn = computed(() => account.value !== null);

/** Whether the account has a password, as far as the server has said. One may sign in in other ways alone. */
export const hasPassword = signal(true);

/** The person's role on this server, as far as the server has said. What it allows is decided there. */
export const role = signal("guest");

/** The name of a guest; empty until they have chosen one. */
const guestName = signal(owner ? "" : cleanName(load("name")));

/** This person's name; empty while they only listen. */
export const name = computed(() => account.value?.name ?? (isRequired.value ? "" : guestName.value));

/** A name that this guest may have, where theirs is somebody else's; empty while nobody has said so. */
export const suggestedName = signal("");

/** The name under which this person is present; empty for who only listens, as one does until a taken name is changed. */
export const presentName = computed(() => (suggestedName.value ? "" : name.value));

/** This person as messages name them. */
export const me = computed(() => {
  const { id, handle } = account.value ?? {};
  return id === undefined || handle === undefined ? { name: name.value } : { name: name.value, author: { id, handle } };
});

/** This person as reactions and pins name them, and as the key of their presence. */
export const label = computed(() => labelOf(me.value));

/** Whether this person has said something. Reads signals. @param {import("./authors.js").By} message */
export function isMine(message) {
  return sameAuthor(message, me.value);
}

/**
 * Whether a message calls this person. Whom `@here` calls the server does not say: it is who was in the room, and so
 * was the page that has heard it said. Reads signals.
 *
 * @param {import("./messages.js").Row} message
 */
export function callsMe(message) {
  const { mentions, called_here: isCalledHere } = message;
  const id = account.value?.id;
  if (!mentions || id === undefined || isMine(message)) return false;
  return Boolean(mentions.accounts?.includes(id) || mentions.room || (mentions.here && isCalledHere));
}

/** Notes that the guest's name is somebody else's. @param {{suggestion?: string}} refusal */
export function noteTakenName({ suggestion = "" }) {
  if (!account.peek()) suggestedName.value = suggestion; // else it is the answer to who they were before
}

/** Gives a guest another name. @param {string} next */
export function rename(next) {
  suggestedName.value = "";
  guestName.value = next;
  save("name", next);
}

/** Is somebody with an account from now on, who was a guest. @param {Account} next */
export function goOnAs(next) {
  suggestedName.value = "";
  account.value = next;
}

/** Takes the account's new name. @param {Account} next the same account */
export function noteAccount(next) {
  storeAccount(next);
  account.value = next;
}

/** Takes the name that the person chooses in another tab. */
export function followName() {
  follow("name", (chosen) => (guestName.value = cleanName(chosen) || guestName.peek()));
}
