import { signal } from "@preact/signals";

/** @typedef {import("gemoji").Gemoji} Emoji */

/** The most emoji that are drawn large if a message has nothing else. */
const MOST_ALONE = 6;
/** No text of so few emoji is longer: a family with skin tones has 25 characters. */
const LONGEST_ALONE = 200;
const PICTURE = "\\p{Extended_Pictographic}(?:\\ufe0f|\\p{Emoji_Modifier})?[\\u{e0020}-\\u{e007f}]{0,7}";
const ONE = `(?:\\p{Regional_Indicator}{2}|[0-9#*]\\ufe0f?\\u20e3|${PICTURE}(?:\\u200d${PICTURE}){0,7})`;
const ALONE = new RegExp(`^\\s{0,3}(?:${ONE}\\s{0,3}){1,${MOST_ALONE}}$`, "u");

/** What is drawn for each name; null until somebody needs it. */
export const emojiByName = signal(/** @type {Map<string, string> | null} */ (null));

/** @type {Promise<Emoji[]> | undefined} */
let loading;

/** Loads all emoji with their names, once. @returns {Promise<Emoji[]>} */
export function loadEmoji() {
  loading ??= import("gemoji").then(({ gemoji }) => {
    emojiByName.value = new Map(gemoji.flatMap(({ names, emoji }) => names.map((name) => [name, emoji])));
    return gemoji;
  });
  loading.catch(() => (loading = undefined)); // the next one who needs them tries again
  return loading;
}

/** Whether a text is a few emoji and nothing else. @param {string} text */
export function isEmojiAlone(text) {
  return text.length <= LONGEST_ALONE && ALONE.test(text);
}
