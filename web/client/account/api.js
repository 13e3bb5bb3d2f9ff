/** The server's JSON endpoints, and what it says in place of an answer. */

import { inTurn } from "./cookie.js";

/**
 * @typedef {object} Refusal
 * @property {string} reason
 * @property {number} [status] of the response; 0 where none came
 * @property {string} [field] the part of the request that is to blame
 * @property {string} [message] a sentence for a person
 * @property {string[]} [handles] nobody has these
 * @property {number} [retry_after_ms]
 */

/** Has the person show again who they are; returns whether they did. @type {() => Promise<boolean>} */
let prove = async () => false;

/** @param {typeof prove} asks is called where the server wants a fresh proof of who asks */
export function onProofWanted(asks) {
  prove = asks;
}

/**
 * Asks for something and returns the answer. Rejects with a `Refusal`. Asks once more where a proof was wanted first.
 *
 * @param {"GET" | "POST" | "PUT" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
export async function ask(method, path, body) {
  try {
    return await request(method, path, body);
  } catch (refusal) {
    if (/** @type {Refusal} */ (refusal).reason !== "proof" || !(await prove())) throw refusal;
    return request(method, path, body);
  }
}

/** @param {string} method @param {string} path @param {object} [body] */
async function request(method, path, body) {
  const headers = { accept: "application/json", ...(body && { "content-type": "application/json" }) };
  const options = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const response = await inTurn(`${method} ${path}`, () => send(path, options));
  const answer = await response.json().catch(() => ({})); // what is not the server's own answer, or none
  if (response.ok) return answer;
  throw { reason: String(response.status), ...(typeof answer === "object" ? answer : {}), status: response.status };
}

/** @param {string} path @param {RequestInit} options */
async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw /** @type {Refusal} */ ({ reason: "unreachable", status: 0 });
  }
}
