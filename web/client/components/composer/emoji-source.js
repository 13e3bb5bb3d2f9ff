/** Completes names of emoji; all emoji are loaded when the first one is begun. */

import { loadEmoji } from "../../text/emoji.js";
import { begunName, completeName } from "../../text/emoji-names.js";

/** @type {import("gemoji").Gemoji[]} */
let all = [];

/** @type {import("./completion.js").Source} */
export const emojiSource = {
  label: "Emoji",
  begun: begunName,
  load: () => (all.length ? undefined : loadEmoji().then((loaded) => (all = loaded))),
  find: (begun) => completeName(all, begun).map(({ name, emoji }) => ({ name, emoji, insert: emoji })),
};
