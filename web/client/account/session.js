/** What becomes of the session while the page lives: it is ended by somebody, or its time is over. */

import { effect, signal, untracked } from "@preact/signals";
import { account, isSignedIn } from "../me.js";
import { CLOSED, SIGNED_OUT } from "../messages.js";
import { ask } from "./api.js";
import { end } from "./identity.js";

/** @typedef {import("../connection.js").Connection} Connection */
/** @typedef {import("../room/room.js").Room} Room */

/** A session that is over again so soon was not renewed by connecting anew. */
const SOON_MS = 60_000;

/** What the person is told. @type {Record<string, string>} */
const WORDS = {
  suspended: "Your account was suspended.",
  left: "You have left. Sign in to come back.",
  erased: "Your account is deleted.",
};

/** The session's time is over: the person is to sign in again. What they wrote is kept. */
export const isSessionOver = signal(false);

/** Connects with the cookie that counts now. */
let connectAnew = () => {};

/** The session has another cookie: the server ends what was connected with the one before. */
export function sessionRenewed() {
  connectAnew();
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
  socket.onMessage((/** @type {any} */ { event, payload }) => {
    if (event === SIGNED_OUT && isSignedIn.peek()) signedOut(connection, payload.reason);
  });
  socket.onClose(({ code }) => {
    if (!isSignedIn.peek()) return;
    if (code === CLOSED.signedOut) signedOut(connection);
    if (code !== CLOSED.expired) return;
    if (Date.now() - lastExpiry < SOON_MS) stopUnlessSignedIn();
    lastExpiry = Date.now();
  });
  effect(() => {
    const { reason = "" } = current.value.refused.value ?? {};
    if (!isSignedIn.value) return;
    if (reason === "sign_in" || reason === "unauthorized") untracked(stopUnlessSignedIn);
  });
}

/** @param {Connection} connection @param {string} [reason] */
function signedOut(connection, reason = "") {
  connection.stop();
  end(WORDS[reason] ?? "You were signed out.");
}

/** Whether the room does not let this account in: else the server does not know it any more. */
async function isStillSignedIn() {
  try {
    return (await ask("GET", "/api/me")).id === account.peek()?.id;
  } catch (refusal) {
    return /** @type {import("./api.js").Refusal} */ (refusal).status !== 401; // of others nothing is known
  }
}
