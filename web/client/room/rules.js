/** What owners can settle of a room, in the order of the dialog, and what of it somebody has changed. */

/** @typedef {import("../messages.js").RoomView} RoomView */

/**
 * @typedef {object} Rule
 * @property {string} name
 * @property {string} label
 * @property {[string | number, string][]} [choices] it is yes or no without them
 * @property {import("../messages.js").RoomKind[]} [kinds] the kinds of rooms that have it
 */

/** @type {[string, string][]} */
const WHO = [
  ["members", "All members"],
  ["moderators", "Moderators and owners"],
];

/** @type {Rule[]} */
export const RULES = [
  {
    name: "history",
    label: "What members may read",
    choices: [
      ["all", "Everything that was said"],
      ["since_join", "What was said since they came"],
    ],
    kinds: ["private"],
  },
  {
    name: "post",
    label: "Who may write",
    choices: [
      ["members", "Everybody who may read"],
      ["moderators", "Moderators and owners"],
    ],
  },
  {
    name: "slow_mode",
    label: "Pause between two messages",
    choices: [
      [0, "No pause"],
      [10, "10 seconds"],
      [30, "30 seconds"],
      [60, "1 minute"],
      [300, "5 minutes"],
      [900, "15 minutes"],
      [3600, "1 hour"],
      [21600, "6 hours"],
    ],
  },
  { name: "invite", label: "Who may invite", choices: WHO },
  { name: "pins", label: "Who may pin", choices: WHO },
  {
    name: "join_notes",
    label: "Who comes and goes",
    choices: [
      ["folded", "Is said in a line"],
      ["off", "Is not said"],
    ],
  },
  { name: "read_only", label: "Read only: nobody writes" },
  { name: "guests", label: "Guests may be in it", kinds: ["public"] },
  { name: "listed", label: "It is in the list of rooms", kinds: ["public"] },
];

/** Says what a setting is now, in the words of its choices. @param {Pick<Rule, "choices">} rule @param {string | number | boolean | undefined} value */
export function wordsOf({ choices = [] }, value) {
  return choices.find(([choice]) => choice === value)?.[1] ?? `${value} seconds`;
}

/**
 * Returns what a form changes of a room: only that is sent. Null for nothing.
 *
 * @param {RoomView} view
 * @param {Record<string, string>} typed as the form has it: a box that is not ticked is missing
 * @param {Rule[]} rules those of the form
 */
export function changesOf(view, typed, rules) {
  const texts = /** @type {const} */ (["title", "topic"]).flatMap((name) => {
    const text = typed[name]?.trim();
    return text === undefined || text === view[name] ? [] : [[name, text]];
  });
  const settings = rules.flatMap(({ name, choices }) => {
    const value = valueOf(typed[name], choices, view.settings[name]);
    return value === view.settings[name] ? [] : [[name, value]];
  });
  const changes = { ...Object.fromEntries(texts), ...(settings.length && { settings: Object.fromEntries(settings) }) };
  return Object.keys(changes).length ? changes : null;
}

/** @param {string | undefined} typed @param {Rule["choices"]} choices @param {string | number | boolean | undefined} before */
function valueOf(typed, choices, before) {
  if (!choices) return typed !== undefined;
  return typeof before === "number" ? Number(typed) : typed;
}
