/** What is offered to do to a member: by the server's table, nobody acts on an equal or a stronger one. */

import { GOVERNING } from "../../messages.js";
import { RANKS } from "../../room/charter.js";

/** @typedef {import("../../messages.js").Power} Power */
/** @typedef {import("../../messages.js").RoomMember} RoomMember */
/** @typedef {import("../../messages.js").Companion} Companion */
/** @typedef {{words: string, event: string, payload: object, isGrave?: boolean}} Offer `isGrave` asks first */

/** @type {["owner" | "moderator" | "member", string][]} */
const ROLES = [
  ["owner", "Make an owner"],
  ["moderator", "Make a moderator"],
  ["member", "Make a member"],
];
/** @type {[number, string][]} */
const MUTES = [
  [10, "Mute for 10 minutes"],
  [60, "Mute for 1 hour"],
  [1440, "Mute for 1 day"],
];

/**
 * @param {Companion & Partial<RoomMember>} person who has no role if they are only present
 * @param {object} asker
 * @param {(power: Power) => boolean} asker.may
 * @param {number} asker.rank
 * @param {boolean} asker.isMe
 * @param {boolean} asker.isLastOwner there is no other owner than the person
 * @param {number} [now]
 * @returns {Offer[]}
 */
export function offersFor({ handle, role, muted_until }, { may, rank, isMe, isLastOwner }, now = Date.now()) {
  const isWeaker = rank > RANKS[role ?? "member"];
  const mayRank = role !== undefined && may("set_role") && (isMe ? !isLastOwner : isWeaker);
  const isMuted = Date.parse(muted_until ?? "") > now;
  const roles = ROLES.filter(([each]) => each !== role).map(([each, words]) => ({
    words,
    event: GOVERNING.setRole,
    payload: { handle, role: each },
  }));
  const mute = (/** @type {number} */ minutes) => ({ event: GOVERNING.mute, payload: { handle, minutes } });
  const mutes = isMuted
    ? [{ words: "Let write again", ...mute(0) }]
    : MUTES.map(([each, words]) => ({ words, ...mute(each) }));
  const remove = { words: "Remove…", event: GOVERNING.remove, payload: { handle }, isGrave: true };
  const ban = { words: "Ban…", event: GOVERNING.remove, payload: { handle, ban: true }, isGrave: true };
  const isOther = !isMe && isWeaker;
  return [
    ...(mayRank ? roles : []),
    ...(isOther && role && may("mute") ? mutes : []),
    ...(isOther && role && may("remove") ? [remove] : []),
    ...(isOther && may("ban") ? [ban] : []),
  ];
}
