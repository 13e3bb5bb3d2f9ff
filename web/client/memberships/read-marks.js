/**
 * How far the person reads: said to the server, and again until it has heard that. A mark moves at once on this page.
 */

import { jitter } from "../connection.js";
import { ASKED, explain } from "../messages.js";
import { mark, memberships } from "./memberships.js";
import { myTopic } from "./my-topic.js";

/** @typedef {import("../messages.js").Refused} Refused */
/** @typedef {{seq: number, rev: number}} Report */

/** Follows a failure without `retry_after_ms`. */
const RETRY_MS = 2000;
/** The server will not take the report, however often it is said. */
const FINAL = ["not_found", "invalid", "unknown event", "forbidden"];

/** What the server has not acknowledged, by slug. @type {Map<string, Report>} */
const reports = new Map();
/** The slugs of the rooms whose report is under way. @type {Set<string>} */
const underWay = new Set();

/** Says again what the server may not have heard, each time the list of rooms has come anew. */
export function watchReports() {
  myTopic.snapshots.subscribe(() => [...reports].forEach(([slug, said]) => reportAgain(slug, said)));
}

/** Notes that everything in a room was read up to a place. @param {string} slug @param {number} [seq] by default all */
export function markRead(slug, seq = memberships.peek().get(slug)?.last_seq ?? 0) {
  const room = memberships.peek().get(slug);
  if (!room || seq <= room.read_seq) return;
  const said = { seq, rev: room.rev };
  reports.set(slug, said);
  moveOn(slug, said);
  report(slug);
}

/** Makes a message and all that follow it unread. Returns why that did not work. @param {string} slug @param {number} seq */
export async function markUnread(slug, seq) {
  reports.delete(slug);
  return done(async () => mark(slug, await myTopic.ask(ASKED.markUnread, { slug, seq })));
}

/** Makes everything read. Returns why that did not work. */
export async function markAllRead() {
  reports.clear();
  return done(async () => {
    await myTopic.ask(ASKED.markAllRead);
    for (const { slug, last_seq: seq, rev } of memberships.peek().values()) moveOn(slug, { seq, rev });
  });
}

// ---- Internal

/** @param {() => Promise<unknown>} act @returns {Promise<string>} empty if it worked */
async function done(act) {
  try {
    await act();
    return "";
  } catch (refusal) {
    return explain(/** @type {Refused} */ (refusal));
  }
}

/** Moves the mark on this page, which needs no answer where all of a room was read. @param {string} slug @param {Report} said */
function moveOn(slug, { seq, rev }) {
  const room = memberships.peek().get(slug);
  if (room && seq >= room.last_seq) mark(slug, { seq, nth: room.last_nth, rev, mentions: 0 });
}

/** Tells the server, one report of a room after the other. @param {string} slug */
async function report(slug) {
  const said = reports.get(slug);
  if (!said || underWay.has(slug)) return;
  underWay.add(slug);
  const wait = await tell(slug, said);
  underWay.delete(slug);
  if (wait === 0 && reports.get(slug) === said) reports.delete(slug);
  if (wait === 0)
    report(slug); // what was read meanwhile
  else if (Number.isFinite(wait)) setTimeout(() => report(slug), jitter(wait));
}

/**
 * @param {string} slug
 * @param {Report} said
 * @returns {Promise<number>} when to say it again; 0 for never, infinite for not before the next list
 */
async function tell(slug, said) {
  try {
    mark(slug, await myTopic.ask(ASKED.markRead, { slug, ...said }));
    return 0;
  } catch (error) {
    const { reason = "", retry_after_ms = RETRY_MS } = /** @type {Refused} */ (error);
    if (FINAL.includes(reason)) return 0;
    return reason === "lost" ? Infinity : retry_after_ms;
  }
}

/** @param {string} slug @param {Report} said */
function reportAgain(slug, said) {
  const room = memberships.peek().get(slug);
  if (!room || room.rev !== said.rev || room.read_seq >= said.seq) return void reports.delete(slug);
  moveOn(slug, said);
  report(slug);
}
