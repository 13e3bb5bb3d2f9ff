import { isMine } from "../../me.js";
import { readBy } from "../../authors.js";
import { html } from "../../html.js";
import { RULES, wordsOf } from "../../room/rules.js";
import { fullDate, moment } from "../../time.js";

/** @typedef {import("../../messages.js").RoomNote} RoomNote */
/** @typedef {import("../../messages.js").Companion} Companion */

/** How many people a line names. */
const NAMED = 2;
/** How many settings a line names. */
const NAMED_SETTINGS = 2;
/** Of nobody's doing but their own: many of them are one line. @type {Record<string, string>} */
const COMINGS = { joined: "joined", left: "left" };
const ROLES = { owner: "an owner", moderator: "a moderator", member: "a member" };

/** Draws notes that no message is between. They are not read out: so many may come and go. @param {{notes: RoomNote[]}} props */
export function RoomNotes({ notes }) {
  return html`
    <div class="room-notes" aria-live="off">
      ${foldNotes(notes).map((folded) => {
        const { seq, at } = /** @type {RoomNote} */ (folded[0]);
        return html`<p key=${seq} title=${fullDate(at)}>${sayNotes(folded)}</p>`;
      })}
    </div>
  `;
}

/** Puts those who come or go one after the other into one line, and a founder into that of the foundation. @param {RoomNote[]} notes @returns {RoomNote[][]} */
export function foldNotes(notes) {
  /** @type {RoomNote[][]} */
  const lines = [];
  for (const note of notes) {
    const last = lines.at(-1);
    if (last && isLike(/** @type {RoomNote} */ (last[0]), note)) last.push(note);
    else lines.push([note]);
  }
  return lines;
}

/** @param {RoomNote} a @param {RoomNote} b */
function isLike(a, b) {
  if (a.set?.kind) return b.change === "joined" && b.seq === a.seq + 1; // who founds a room is in it
  if (a.kind === "room" && b.kind === "room") return isOfSettings(a) && isOfSettings(b) && a.by?.id === b.by?.id;
  if (a.kind !== "member" || a.change !== b.change) return false;
  return a.change === "joined" || a.change === "left" || (a.change === "added" && a.by?.id === b.by?.id);
}

/** @param {RoomNote} event */
function isOfSettings({ set = {} }) {
  return Object.keys(set).join() === "settings";
}

/** Says what became of people or of the room. @param {RoomNote[]} folded */
export function sayNotes(folded) {
  const first = /** @type {RoomNote} */ (folded[0]);
  const by = nameOf(first.by ?? { name: "Somebody" });
  if (first.kind === "room") {
    const settings = Object.assign({}, ...folded.map(({ set }) => set?.settings));
    return html`${by} ${sayChange({ ...first.set, settings })}`;
  }
  const { change = "joined", role = "member", until = "" } = first;
  const people = namesOf(folded.flatMap(({ members = [] }) => members));
  const reason = first.reason ? html`: <q>${first.reason}</q>` : "";
  if (COMINGS[change]) return html`${people} ${COMINGS[change]}`;
  switch (change) {
    case "role":
      return html`${by} made ${people} ${ROLES[role]}`;
    case "muted":
      return html`${by} muted ${people} until ${moment(until)}${reason}`;
    case "unmuted":
      return html`${by} let ${people} write again`;
    case "unbanned":
      return html`${by} lifted ${isOfMe(first) ? "your ban" : html`the ban of ${people}`}`;
    default:
      return html`${by} ${change} ${people}${reason}`;
  }
}

/** Says all that was changed at once; what is quoted comes last. @param {NonNullable<RoomNote["set"]>} set */
function sayChange({ kind, title, topic, archived, settings }) {
  if (kind) return "created this room";
  const changes = [];
  if (archived !== undefined) changes.push(archived ? "archived this room" : "opened this room again");
  changes.push(...saySettings(settings ?? {}));
  if (title !== undefined) changes.push(html`called this room <q><bdi>${title}</bdi></q>`);
  if (topic !== undefined) changes.push(topic ? html`set the topic: <q><bdi>${topic}</bdi></q>` : "removed the topic");
  if (!changes.length) return "changed this room";
  return changes.map((change, at) => html`${joint(at, changes.length)}${change}`);
}

/** Says which settings have which values now, by the words of their dialog. @param {Record<string, string | number | boolean>} settings */
function saySettings(settings) {
  const number = Object.keys(settings).length;
  const known = RULES.filter(({ name }) => name in settings);
  if (!number) return [];
  if (known.length < number) return ["changed the settings"];
  if (number > NAMED_SETTINGS) return [`changed ${number} settings`];
  return known.map((rule) => {
    const value = /** @type {string | number | boolean} */ (settings[rule.name]);
    if (!rule.choices) return html`turned <q>${rule.label}</q> ${value ? "on" : "off"}`;
    return html`changed <q>${rule.label}</q> to <q>${wordsOf(rule, value)}</q>`;
  });
}

/** @param {Companion[]} people */
function namesOf(people) {
  const unique = [...new Map(people.map((person) => [person.id, person])).values()];
  const all = unique.length > NAMED + 1 ? unique.slice(0, NAMED) : unique;
  const others = unique.length - all.length;
  const and = others ? html` and ${others} others` : "";
  return html`${all.map((each, at) => html`${joint(at, all.length, others)}${nameOf(each)}`)}${and}`;
}

/** @param {number} at @param {number} count @param {number} [others] */
function joint(at, count, others = 0) {
  if (at === 0) return "";
  return at === count - 1 && !others ? " and " : ", ";
}

/** @param {RoomNote} note */
function isOfMe({ members = [] }) {
  return members.length > 0 && members.every((person) => isMine(readBy(person)));
}

/** @param {import("../../messages.js").Doer} person */
function nameOf(person) {
  return isMine(readBy(person)) ? "you" : html`<bdi>${person.name || "somebody"}</bdi>`;
}
