/** What the person wants to notice of their rooms, as they set it. */

import { ASKED, explain } from "../messages.js";
import { myTopic, noteLevel } from "./my-topic.js";

/** @typedef {import("../messages.js").Level} Level */

/**
 * Sets what shall be noticed of a room, or whether it is hidden. Returns why that did not work; empty if it did.
 *
 * @param {string} slug
 * @param {{level?: Level, until?: string | null, hidden?: boolean}} choice
 */
export async function setLevel(slug, choice) {
  try {
    noteLevel(await myTopic.ask(ASKED.setLevel, { slug, ...choice }));
    return "";
  } catch (refusal) {
    return explain(/** @type {import("../messages.js").Refused} */ (refusal));
  }
}
