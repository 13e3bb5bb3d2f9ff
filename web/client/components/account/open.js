/** Opens the dialogs of accounts, which are loaded then: a visit without them costs nothing. */

import { drafts, threadDrafts } from "../../drafts.js";
import { showToast } from "../toast.js";

/** @typedef {import("./sign-in.js").Face} Face */

/** @param {{face?: Face, handle?: string, invite?: string}} [props] */
export function openSignIn(props = {}) {
  load(async () => (await import("./sign-in.js")).showSignIn(props));
}

/** @param {string} link */
export function openLink(link) {
  load(async () => (await import("./link.js")).showLink(link));
}

/** @param {string} reason of a provider's failure to sign somebody in */
export function openFailure(reason) {
  load(async () => (await import("./failure.js")).showFailure(reason));
}

export function openAccount() {
  load(async () => (await import("./account.js")).showAccount());
}

/**
 * Asks once before words are lost that were written and not sent.
 *
 * @param {Map<string, import("../../visited-rooms.js").Unsent>} unsent
 * @param {"out" | "in"} way the person signs out, or signs in as somebody else
 * @returns {Promise<boolean>} whether they do
 */
export async function askToLoseWords(unsent, way) {
  const messages = [...unsent.values()].reduce((sum, { waiting, failed }) => sum + waiting + failed, 0);
  const begun = drafts.keys.peek().size + threadDrafts.keys.peek().size;
  if (!messages && !begun) return true;
  let isSure = false;
  await load(async () => (isSure = await (await import("./sign-out.js")).askToLose(messages, begun, way)));
  return isSure;
}

/** @param {() => Promise<unknown>} show */
async function load(show) {
  try {
    await show();
  } catch {
    showToast("That could not be loaded. Is the server there?");
  }
}
