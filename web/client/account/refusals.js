/** What a person reads where the server does not do what was asked of accounts. */

import { explain } from "../messages.js";

/** @typedef {import("./api.js").Refusal} Refusal */
/**
 * @typedef {object} Problem
 * @property {string} field that is to blame; empty where none is
 * @property {string} words all that there is to say now
 * @property {string} [why] the words without the time to wait, where there is one
 */

/** @type {Record<string, string>} */
const WORDS = {
  wrong: "That is not the password of this account.",
  slug_taken: "There is a room with this address already. Choose another title.",
  handle_taken: "Somebody has this handle already.",
  sign_up_closed: "New accounts are made by an admin here.",
  invite: "There is no such invite, or not any more.",
  busy: "The server is busy.",
  rate_limited: "That was too often.",
  unavailable: "The server cannot answer now.",
  unreachable: "The server cannot be reached.",
  not_found: "It is not there any more.",
  forbidden: "You may not do that.",
  full: "There are as many as there may be.",
  last_way: "Without it you could not sign in any more. Choose a password or add another way before.",
  proof: "Show first that it is you.",
  archived: "The room is archived. Who looks after it can open it again.",
  no_passkeys: "There are no passkeys at this address.",
  passkey_unknown: "This passkey is not known here.",
  passkey_exists: "You have a passkey there already.",
  passkey_failed: "Your browser could not use a passkey here.",
  gone: "This link was used, or is too old.",
  suspended: "This account is suspended. An admin can tell you more.",
  no_cookies:
    "Your browser keeps no cookies of this server, and nobody is signed in without. Allow them, then sign in.",
  unauthorized: "You are not signed in any more.",
  sign_in: "You are not signed in any more.",
};

/** Why a provider has signed nobody in, where that is said otherwise. @type {Record<string, string>} */
const FAILURES = {
  cancelled: "It was cancelled at the provider.",
  sign_up_closed: "No account here belongs to that sign-in, and it cannot make one on this server.",
  forbidden: "That sign-in belongs to another account here.",
  gone: "You were signed out meanwhile.",
  proof: "You signed in too long ago to link it. Begin in your account, which asks for your password or a passkey.",
  unavailable: "The provider or this server cannot answer now. Try again later.",
  address: "This server does not know the address that you have opened it at. Use its public address.",
};

/** Reasons that after too many tries say nothing of the last one: it was not looked at. */
const UNTRIED = ["wrong", "passkey_unknown", "invite"];
const TOO_MANY = "There were too many tries.";

/** The field that is to blame where the server names none. @type {Record<string, string>} */
const FIELDS = { wrong: "password", slug_taken: "title", handle_taken: "handle", invite: "invite" };

/** @param {Refusal} refusal @returns {Problem} */
export function problemOf({ reason, field, message, retry_after_ms, handles }) {
  if (handles?.length)
    return { field: "handles", words: `Nobody here is called ${handles.map((each) => `@${each}`).join(", ")}.` };
  const wait = waitWords(retry_after_ms ?? 0);
  if (wait && UNTRIED.includes(reason)) return { field: "", words: `${TOO_MANY} ${wait}`, why: TOO_MANY };
  const known = new Map(Object.entries(WORDS)).get(reason);
  const said = message && asSentence(message);
  const explained = explain({ reason });
  const inGeneral = explained === reason ? "That did not work." : asSentence(explained);
  const why = (reason === "invalid" && said) || known || said || inGeneral;
  const at = field ?? FIELDS[reason] ?? "";
  return wait ? { field: at, words: `${why} ${wait}`, why } : { field: at, words: why };
}

/** Says when one may try again; nothing where there is no need to wait. @param {number} ms */
export function waitWords(ms) {
  return ms > 0 ? `Try again in ${inWords(ms)}.` : "";
}

/** Says why a provider has signed nobody in. @param {string} reason */
export function failureWords(reason) {
  const known = new Map(Object.entries({ ...WORDS, ...FAILURES })).get(reason);
  return known ?? "The answer of the provider was not accepted, or came too late.";
}

/** Writes what the server says as the page writes its own sentences. @param {string} words */
function asSentence(words) {
  const [first = "", ...rest] = words;
  return first.toUpperCase() + rest.join("") + (/[.!?…]$/.test(words) ? "" : ".");
}

/** Says how long something takes, rounded up. @param {number} ms */
export function inWords(ms) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds < 60) return count(seconds, "second");
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? count(minutes, "minute") : count(Math.ceil(minutes / 60), "hour");
}

/** @param {number} number @param {string} unit */
function count(number, unit) {
  return `${number} ${unit}${number === 1 ? "" : "s"}`;
}
