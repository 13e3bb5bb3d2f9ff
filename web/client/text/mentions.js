/** Finds whom a text calls, as the server does in chatter/room/mentions.py. */

/** Each character is looked at a few times at most: a handle has bounds. */
const MENTION = /(?<![\p{L}\p{N}_@./-])@([a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?)(?![\p{L}\p{N}_@])/giu;

/** @param {string} text @returns {Generator<{start: number, end: number, handle: string}>} */
export function* findMentions(text) {
  if (!text.includes("@")) return;
  for (const match of text.matchAll(MENTION)) {
    const [whole, handle = ""] = match;
    yield { start: match.index, end: match.index + whole.length, handle: handle.toLowerCase() };
  }
}
