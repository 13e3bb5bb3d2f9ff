/**
 * The cookie of the session, which all tabs have in common: while a request replaces it, no other is under way.
 *
 * The server ends the former session before the browser has the cookie of the next one. Whoever asks in between is told
 * that nobody is signed in; and an answer that renews or clears the former cookie must not come after the next one.
 */

/** These begin and end sessions, or have the cookie set anew. */
const REPLACING = new Set([
  "PUT /api/me",
  "DELETE /api/me",
  "POST /api/accounts",
  "POST /api/links/use",
  "POST /api/sessions",
  "POST /api/sessions/passkey",
  "DELETE /api/sessions",
  "DELETE /api/sessions/current",
  "DELETE /api/sessions/ended",
]);

const LOCK = "chatter:session";

/** A tab that the browser has put to sleep may never get its answer: the others wait no longer than this. */
const MOST_MS = 20_000;

/**
 * Sends a request at its turn, and returns its answer. Without the Web Locks API nothing waits.
 *
 * @template T
 * @param {string} request its method and path
 * @param {() => Promise<T>} send
 * @returns {Promise<T>}
 */
export async function inTurn(request, send) {
  const mode = REPLACING.has(request) ? "exclusive" : "shared";
  let isSent = false;
  const take = () => {
    isSent = true;
    return send();
  };
  try {
    return await navigator.locks.request(LOCK, { mode, signal: AbortSignal.timeout(MOST_MS) }, take);
  } catch (refusal) {
    if (isSent) throw refusal;
    return send();
  }
}
