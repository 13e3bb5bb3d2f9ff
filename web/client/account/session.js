/** What becomes of the session while the page lives: it is ended by somebody, or its time is over. */

import { effect, signal, untracked } from "@preact/signals";
import { account, isSignedIn } from "../me.js";
import { CLOSED, isPrivateSlug, ME, SIGNED_OUT } from "../messages.js";
import { ask } from "./api.js";
import { OUT, PARTINGS } from "./farewell.js";
import { end } from "./identity.js";

/** @typedef {import("../connection.js").Connection} Connection */
/** @typedef {import("../room/room.js").Room} Room */

/** A session that is over again so soon was not renewed by connecting anew. */
const SOON_MS = 60_000;

/**
 * Why a join may be refused whose session is none any more: the server takes the page for a guest's, who may not have
 * the account's name, and sees no private room. The server is asked then who this is.
 */
const DOUBTS = ["sign_in", "unauthorized", "name_taken", "unmatched topic"];

/** The session's time is over: the person is to sign in again. What they wrote is kept. */
export const isSessionOver = signal(false);

/**
 * Whether what was said in a room is not shown: somebody may have ended the session since the browser is in other
 * hands. Reads a signal.
 *
 * @param {string} slug
 */
export function isCovered(slug) {
  return isSessionOver.value && isPrivateSlug(slug);
}

/** Connects with the cookie that counts now. */
let connectAnew = () => {};

/** The session has another cookie: the server ends what was connected with the one before. */
export function sessionRenewed() {
  connectAnew();
}

/** Connects as whoever is signed in now, also where the session was over. @param {Connection} connection */
export function goOn(connection) {
  isSessionOver.value = false;
  connection.resume();
}

/**
 * Follows what the server says of the session.
 *
 * @param {Connection} connection
 * @param {{readonly value: Room}} current
 */
export function watchSession(connection, current) {
  const { socket } = connection;
  let lastExpiry = -Infinity;
  connectAnew = () => connection.reconnect();
  const stop = () => {
    connection.stop();
    isSessionOver.value = true;
  };
  const stopUnlessSignedIn = async () => (await isStillSignedIn()) || stop();
  const doubt = (/** @type {string} */ reason) => DOUBTS.includes(reason) && stopUnlessSignedIn();
  socket.onMessage((/** @type {any} */ { topic, event, payload }) => {
    if (!isSignedIn.peek()) return;
    if (event === SIGNED_OUT) signedOut(connection, payload.reason);
    if (topic === ME && payload.status === "error") doubt(payload.response.reason);
  });
  socket.onClose(({ code }) => {
    if (!isSignedIn.peek()) return;
    if (code === CLOSED.signedOut) signedOut(connection);
    if (code !== CLOSED.expired) return;
    if (Date.now() - lastExpiry < SOON_MS) stopUnlessSignedIn();
    lastExpiry = Date.now();
  });
  document.addEventListener("visibilitychange", async () => {
    if (document.visibilityState !== "visible" || !isSessionOver.peek()) return;
    if (await isStillSignedIn()) goOn(connection); // by another tab
  });
  effect(() => {
    const { reason = "" } = current.value.refused.value ?? {};
    if (!isSignedIn.value) return;
    untracked(() => doubt(reason));
  });
}

/** @param {Connection} connection @param {string} [reason] */
function signedOut(connection, reason = "") {
  connection.stop();
  end(PARTINGS[reason] ?? OUT);
}

/** Whether the room does not let this account in: else the server does not know it any more. */
async function isStillSignedIn() {
  try {
    return (await ask("GET", "/api/me")).id === account.peek()?.id;
  } catch (refusal) {
    return /** @type {import("./api.js").Refusal} */ (refusal).status !== 401; // of others nothing is known
  }
}
