import { ask } from "../account/api.js";
import { problemOf } from "../account/refusals.js";
import { goTo } from "./go-to.js";
import { holdKeys } from "./held-keys.js";
import { showToast } from "./toast.js";

/** Shows the direct room with somebody, which is made if there is none. @param {string} handle */
export async function openDirect(handle) {
  const keys = holdKeys();
  try {
    goTo((await ask("POST", "/api/direct", { handle })).slug);
    keys.type();
  } catch (refusal) {
    keys.giveBack();
    const { reason } = /** @type {import("../account/api.js").Refusal} */ (refusal);
    const isUnknown = reason === "not_found";
    showToast(isUnknown ? `Nobody here is called @${handle}` : problemOf(/** @type {any} */ (refusal)).words);
  }
}
