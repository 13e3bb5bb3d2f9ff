import { isRequired } from "../../account/server.js";
import { html } from "../../html.js";
import { moment } from "../../time.js";
import { Lock } from "../icons.js";
import { copyAndTell } from "../toast.js";
import { useTime } from "../use-time.js";

/** @typedef {import("../../room/room.js").Room} Room */

const SECOND_MS = 1000;
/** A timer waits no longer. */
const LONGEST_MS = 2 ** 31 - 1;

/** Why somebody was not let in, where that is for good. @type {Record<string, string>} */
const NOT_LET_IN = {
  banned: "You are banned from this room.",
  sign_in: "Only people with an account may be in this room.",
  "unmatched topic": "There is no such room, or you are not in it.",
};

/** Returns why this person cannot write in a room; empty if they can. Reads signals. @param {Room} room */
export function whyNotWrite({ charter, refused, state }) {
  const reason = state.value === "refused" ? (refused.value?.reason ?? "") : "";
  if (reason === "sign_in" && isRequired.value) return ""; // a form says it, and what is written waits for an account
  const view = charter.view.value;
  if (NOT_LET_IN[reason] || !view) return NOT_LET_IN[reason] ?? "";
  if (view.archived) return "This room is archived. It can be read, and nobody writes in it.";
  if (view.settings.read_only) return "Nobody writes in this room at present.";
  const until = view.muted_until ?? "";
  if (Date.parse(until) > Date.now()) return `You are muted here until ${moment(until)}.`;
  if (charter.may("post")) return "";
  return view.settings.post === "moderators"
    ? "Only moderators write in this room."
    : "You may not write in this room.";
}

/**
 * Follows why this person cannot write, and until when: a time that is over lets them.
 *
 * @param {Room} room
 * @returns {{why: string, wait: number}} `wait` is for how many seconds nothing is sent: slow mode
 */
export function useCannotWrite(room) {
  const { slowUntil, view, isModerator } = room.charter;
  const muted = Date.parse(view.value?.muted_until ?? "") || 0;
  useTime(slowUntil.value, SECOND_MS);
  useTime(muted, LONGEST_MS);
  return { why: whyNotWrite(room), wait: isModerator ? 0 : secondsUntil(slowUntil.value) };
}

/** Says why nobody can write where they would. What is written there already can be copied. @param {{why: string, words: string}} props */
export function CannotWrite({ why, words }) {
  return html`
    <p class="cannot-write">
      <${Lock} /><span>${why}</span>
      ${
        words &&
        html`
          <button class="link" type="button" onClick=${() => copyAndTell(words, "Text copied")}>Copy what you wrote</button>
        `
      }
    </p>
  `;
}

/** Counts down in slow mode. Screen readers hear it once. @param {{seconds: number}} props */
export function SlowMode({ seconds }) {
  const isSlow = seconds > 0;
  return html`
    <p class="slow-mode" role="status">
      ${isSlow && html`Slow mode: you can write again in <span aria-hidden="true">${seconds} s</span><span class="sr-only">a moment</span>`}
    </p>
  `;
}

/** @param {number} time */
function secondsUntil(time) {
  return Math.max(0, Math.ceil((time - Date.now()) / SECOND_MS));
}
