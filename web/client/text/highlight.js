/** Colours code in a worker: a pattern that takes long holds up no page. The text never comes back from there. */

import { signal } from "@preact/signals";
import { languageOf } from "./languages.js";

/** @typedef {import("./languages.js").Language} Language */
/** @typedef {{text: string, kind: string}} Token */
/** @typedef {import("@preact/signals").Signal<Token[] | null>} Tokens null until they come, if they ever do */
/** @typedef {{language: Language, code: string, tokens: Tokens}} Job */
/** @typedef {[length: number, kind: string][]} Spans what the worker answers */

/** A language that takes longer than this is not coloured. It is loaded in this time, too. */
const DEADLINE_MS = 10_000;
const MAX_KEPT = 200;
const MAX_TOKENS = 1000;
const KIND = /^[a-z]{0,12}$/;
const NONE = signal(null);

/** Pieces of code that were coloured, the last used last. @type {Map<string, Tokens>} */
const kept = new Map();
/** @type {Job[]} */
const queue = [];
/** @type {Worker | null} */
let worker = null;
/** @type {Job | undefined} the one that the worker has */
let current;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let deadline;

/**
 * Returns the tokens of a piece of code, as a signal.
 *
 * @param {string} name of its language, as typed
 * @param {string} code
 * @returns {Tokens}
 */
export function tokensOf(name, code) {
  const language = languageOf(name);
  if (!language) return NONE;
  const key = `${language}\n${code}`;
  const tokens = kept.get(key) ?? signal(/** @type {Token[] | null} */ (null));
  if (!kept.delete(key)) queue.push({ language, code, tokens });
  kept.set(key, tokens);
  for (const oldest of kept.keys()) if (kept.size > MAX_KEPT) kept.delete(oldest);
  workOn();
  return tokens;
}

/** Gives the worker the next piece. */
function workOn() {
  if (current || !queue.length) return;
  current = /** @type {Job} */ (queue.shift());
  worker ??= startWorker();
  deadline = setTimeout(giveUp, DEADLINE_MS);
  worker.postMessage({ language: current.language, code: current.code });
}

function startWorker() {
  const started = new Worker(new URL("./highlight-worker.js", import.meta.url), { type: "module" });
  started.onmessage = ({ data }) => finish(data);
  started.onerror = giveUp;
  return started;
}

/** @param {Spans} spans */
function finish(spans) {
  clearTimeout(deadline);
  if (current) current.tokens.value = cut(current.code, spans);
  current = undefined;
  workOn();
}

/** Leaves a piece as it is, and goes on with another worker. */
function giveUp() {
  worker?.terminate();
  worker = null;
  finish([]);
}

/**
 * Cuts code into tokens. The pieces together are the code, whatever the worker says.
 *
 * @param {string} code
 * @param {Spans} spans
 * @returns {Token[] | null}
 */
export function cut(code, spans) {
  /** @type {Token[]} */
  const tokens = [];
  let at = 0;
  for (const [length, kind] of spans.slice(0, MAX_TOKENS)) {
    if (!(length > 0) || !KIND.test(kind)) return null;
    tokens.push({ text: code.slice(at, at + length), kind });
    at += length;
  }
  if (at < code.length) tokens.push({ text: code.slice(at), kind: "" });
  return spans.length ? tokens : null;
}
