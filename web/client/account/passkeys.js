/** Passkeys: the browser makes and shows them, the server says for what and takes them. */

import { ask } from "./api.js";
import { maySignIn, signedIn } from "./identity.js";

/** @typedef {import("./api.js").Refusal} Refusal */
/** @typedef {"sign_in" | "prove" | "add"} Purpose */

/** What the person ended, or let end: browsers do not tell these apart, nor that there is no passkey. */
const CANCELLED = "NotAllowedError";
/** The authenticator has a passkey of this person. */
const ALREADY_THERE = "InvalidStateError";

/** Whether the browser has passkeys, and reads and writes them as JSON. An older one is as good as one without. */
export function browserHasPasskeys() {
  const { PublicKeyCredential: kind } = /** @type {any} */ (globalThis);
  return Boolean(kind?.parseRequestOptionsFromJSON && kind.parseCreationOptionsFromJSON && kind.prototype.toJSON);
}

/**
 * Signs in with a passkey that the person chooses. Does nothing if they choose none. Rejects with a `Refusal`.
 *
 * Whose it is, only the server knows: who keeps what they have written in place of it is signed out again.
 */
export async function signInWithPasskey() {
  const credential = await prompt("sign_in");
  if (!credential) return;
  try {
    const answer = await ask("POST", "/api/sessions/passkey", { credential });
    if (await maySignIn(answer.account.handle)) await signedIn(answer);
    else await ask("DELETE", "/api/sessions/current");
  } catch (refusal) {
    throw ofPasskey(/** @type {Refusal} */ (refusal));
  }
}

/**
 * Shows the server by a passkey that it is the person. Rejects with a `Refusal`.
 *
 * @returns {Promise<boolean>} whether the person went through with it
 */
export async function proveByPasskey() {
  const credential = await prompt("prove");
  if (!credential) return false;
  try {
    await ask("POST", "/api/me/proof", { credential });
  } catch (refusal) {
    throw ofPasskey(/** @type {Refusal} */ (refusal));
  }
  return true;
}

/**
 * Adds a passkey to the account. Rejects with a `Refusal`.
 *
 * @param {string} label
 * @returns {Promise<boolean>} whether the person went through with it
 */
export async function addPasskey(label) {
  const credential = await prompt("add");
  if (credential) await ask("POST", "/api/passkeys", { credential, ...(label && { label }) });
  return credential !== null;
}

// ---- Internal

/**
 * Has the browser ask the person for a passkey.
 *
 * @param {Purpose} purpose
 * @returns {Promise<object | null>} the credential as JSON; null where the person has cancelled
 */
async function prompt(purpose) {
  const { publicKey } = await ask("POST", "/api/passkeys/options", { for: purpose });
  try {
    const credential = await (purpose === "add" ? create(publicKey) : get(publicKey));
    return /** @type {any} */ (credential).toJSON();
  } catch (error) {
    const { name } = /** @type {DOMException} */ (error);
    if (name === CANCELLED) return null;
    throw /** @type {Refusal} */ ({ reason: name === ALREADY_THERE ? "passkey_exists" : "passkey_failed" });
  }
}

/** @param {any} options */
function create(options) {
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
}

/** @param {any} options */
function get(options) {
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

/** No field is to blame where a passkey is wrong. @param {Refusal} refusal @returns {Refusal} */
function ofPasskey(refusal) {
  return refusal.reason === "wrong" ? { ...refusal, reason: "passkey_unknown" } : refusal;
}
