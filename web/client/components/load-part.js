import { holdKeys } from "./held-keys.js";
import { showToast } from "./toast.js";

/** What the person has asked for last: who presses twice gets one dialog. */
let latest = {};

/**
 * Loads a part of the page that is not there from the start, and shows it. What is typed meanwhile is typed there.
 *
 * @template Part
 * @param {() => Promise<Part>} load
 * @param {(part: Part) => unknown} show is waited for
 */
export async function loadPart(load, show) {
  const keys = holdKeys();
  const mine = (latest = {});
  try {
    const part = await load();
    if (mine !== latest) return;
    await show(part);
    keys.type();
  } catch {
    keys.end();
    showToast("That could not be loaded. Is the server there?");
  }
}
