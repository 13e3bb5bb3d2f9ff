/** Opens the dialogs of accounts, which are loaded then: a visit without them costs nothing. */

import { drafts, threadDrafts } from "../../drafts.js";
import { loadPart } from "../load-part.js";

/** @typedef {import("./sign-in.js").Face} Face */

/** @param {{face?: Face, handle?: string, invite?: string}} [props] */
export function openSignIn(props = {}) {
  loadPart(
    () => import("./sign-in.js"),
    ({ showSignIn }) => showSignIn(props),
  );
}

/** @param {string} link */
export function openLink(link) {
  loadPart(
    () => import("./link.js"),
    ({ showLink }) => showLink(link),
  );
}

/** @param {string} reason of a provider's failure to sign somebody in */
export function openFailure(reason) {
  loadPart(
    () => import("./failure.js"),
    ({ showFailure }) => showFailure(reason),
  );
}

export function openAccount() {
  loadPart(
    () => import("./account.js"),
    ({ showAccount }) => showAccount(),
  );
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
  let isSure = Promise.resolve(false);
  await loadPart(
    () => import("./sign-out.js"),
    ({ askToLose }) => void (isSure = askToLose(messages, begun, way)),
  );
  return isSure;
}
