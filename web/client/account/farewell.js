/** What this page says first: what has become of the account as the page before it in the tab ended. */

import { signal } from "@preact/signals";
import { ofTab } from "../browser/web-storage.js";

const KEY = "chatter:farewell";

/** A page finds no session any more: its time is over, or it was ended elsewhere. */
export const ENDED = "Your session here has ended.";

/** The server says that the session was ended, or another tab does. */
export const OUT = "You were signed out.";

/** Follows the reason where something was erased with the session that nobody else has. */
export const ERASED = "What you had written here and not sent was erased.";

/** The account was about to be deleted. */
export const CAME_BACK = "You came back: your account is not deleted.";

/** What the server says of an account that is signed out, by its reason. @type {Record<string, string>} */
export const PARTINGS = {
  suspended: "Your account was suspended.",
  left: "You have left. Sign in to come back.",
  erased: "Your account is deleted.",
};

export const farewell = signal(take());

/** Leaves words for the next page of this tab. @param {string} words */
export function leaveFarewell(words) {
  ofTab.write(KEY, words);
}

function take() {
  const words = ofTab.read(KEY);
  leaveFarewell("");
  return words;
}
