/** Opens the dialogs of accounts, which are loaded then: a visit without them costs nothing. */

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

/** @param {() => Promise<void>} show */
async function load(show) {
  try {
    await show();
  } catch {
    showToast("That could not be loaded. Is the server there?");
  }
}
