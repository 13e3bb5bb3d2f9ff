/**
 * Who the server says this browser is. Where that is somebody else than whose page this is, the page is loaded anew.
 *
 * Signing in, up and out end so, too: the address stays, so the room does. Where the browser keeps nothing, the next
 * page would not know them either, and what is written would be lost: this one goes on for who has signed in.
 */

import {
  dropAll,
  dropLeftovers,
  followAccount,
  owner,
  removeAccount,
  stopKeeping,
  storeAccount,
} from "../browser/owner.js";
import { takeAlong } from "../browser/take-along.js";
import { closeOverlays } from "../browser/overlays.js";
import { followPath, partsOf } from "../browser/route.js";
import { account, goOnAs, hasPassword, isSignedIn, noteAccount, role } from "../me.js";
import { isPrivateSlug } from "../messages.js";
import { ask } from "./api.js";
import { CAME_BACK, ENDED, ERASED, leaveFarewell, OUT } from "./farewell.js";
import { learnServer } from "./server.js";

/** @typedef {import("../browser/owner.js").Account} Account */
/** @typedef {import("./api.js").Refusal} Refusal */

/** The status where a session is none any more. */
const UNKNOWN = 401;

/** Why somebody whom the server has let in is not signed in. @type {Refusal} */
const NO_COOKIES = { status: 0, reason: "no_cookies" };

/** Says whether what was written and not sent may go. @type {(way: "out" | "in") => Promise<boolean>} */
let mayLoseWords = async () => true;

/** Whether something was written here and not sent. */
let hasWords = () => false;

/** Makes drafts of what a guest has not sent. */
let makeDrafts = async () => {};

/** Connects with the session that counts now. */
let connectAnew = () => {};

/** The person is on the way out, and what else says so changes nothing. */
let isLeaving = false;

/** What is said where another tab is first to be a guest's; empty until this page has heard of the end itself. */
let parting = "";

/**
 * Asks the server who this is, and follows what other tabs hear.
 *
 * @param {() => void} connect anew: a guest had the cookie of a session that has ended, with which no room lets them in,
 *   or is a guest no more
 */
export async function watchIdentity(connect) {
  connectAnew = connect;
  dropLeftovers();
  followAccount((next) => void take(next));
  if ((await checkIdentity()) || isSignedIn.peek()) return;
  await forgetEnded();
  connectAnew();
  checkIdentity();
}

/**
 * Asks the server who this is. A server that cannot be reached, or fails, says nothing about that.
 *
 * @returns {Promise<boolean>} whether it is as this page has it
 */
export async function checkIdentity() {
  try {
    return follow(await ask("GET", "/api/me"));
  } catch (refusal) {
    const { status } = /** @type {Refusal} */ (refusal);
    if (status === UNKNOWN && isSignedIn.peek()) await end(ENDED);
    if (status !== 404) return status !== UNKNOWN;
    learnServer(null); // it has no accounts
    if (isSignedIn.peek()) leave();
    return !isSignedIn.peek();
  }
}

/**
 * Takes over whom the server has just let in, and loads the page for them. Rejects with a `Refusal` where the browser
 * has not taken the session's cookie.
 *
 * @param {{came_back?: boolean}} answer
 * @returns {Promise<void>} is never settled where the page is loaded
 */
export async function signedIn({ came_back: cameBack }) {
  const { id, handle, name } = await ask("GET", "/api/me");
  if (id === undefined) throw NO_COOKIES;
  if (cameBack) leaveFarewell(CAME_BACK);
  if (await become({ id, handle, name })) return new Promise(() => {}); // this page does nothing more
  connectAnew();
  closeOverlays();
  followPath();
}

/** @param {typeof mayLoseWords} ask the person, where there is something to lose by signing out or in */
export function askBeforeLoss(ask) {
  mayLoseWords = ask;
}

/** @param {typeof hasWords} has whether something was written here that is erased where the session ends */
export function noteLoss(has) {
  hasWords = has;
}

/** @param {typeof makeDrafts} make drafts of what a guest has not sent: who signs in takes these along */
export function bringDrafts(make) {
  makeDrafts = make;
}

/**
 * Asks before somebody signs in over the account whose page this is, where words would go with it.
 *
 * @param {string} [handle] of who signs in, where that is known
 * @returns {Promise<boolean>} whether they may
 */
export async function maySignIn(handle) {
  const present = account.peek();
  return !present || present.handle === handle || mayLoseWords("in");
}

/** Signs out here, if the person wants that. What is kept for the account goes before the page does. */
export async function signOut() {
  if (!(await mayLoseWords("out"))) return;
  await leaveBy("DELETE", "/api/sessions/current").catch(unlessUnknown);
  await leaveFor("");
}

/**
 * Closes the account. Until it is deleted, the person can come back.
 *
 * @param {{password?: string, messages?: string}} chosen
 * @param {string} farewell
 */
export async function leaveServer(chosen, farewell) {
  const words = withLoss(farewell);
  await leaveBy("DELETE", "/api/me", chosen);
  await leaveFor(words);
}

/**
 * Is a guest from now on, as the account was signed out; unless this browser, in whichever tab, has a newer session.
 *
 * @param {string} reason what the guest's page says first
 */
export async function end(reason) {
  if (isLeaving) return;
  isLeaving = true;
  parting = withLoss(reason);
  const { id } = await forgetEnded();
  if (id === undefined) await leaveFor(parting);
  else location.reload();
}

// ---- Internal

/** Says besides why the session is over that something goes with it. @param {string} reason */
function withLoss(reason) {
  return hasWords() ? `${reason} ${ERASED}` : reason;
}

/** Has the cookie of a session that has ended taken away. Returns who is signed in for all that, if somebody is. */
function forgetEnded() {
  return ask("DELETE", "/api/sessions/ended").catch(() => ({}));
}

/**
 * Asks for what ends the session. The server tells that to this page, too, which has it from the answer.
 *
 * @param {"DELETE"} method
 * @param {string} path
 * @param {object} [body]
 */
async function leaveBy(method, path, body) {
  isLeaving = true;
  try {
    await ask(method, path, body);
  } catch (refusal) {
    isLeaving = false;
    throw refusal;
  }
}

/** There is no session to end, but a cookie. @param {Refusal} refusal */
async function unlessUnknown(refusal) {
  if (refusal.status !== UNKNOWN) throw refusal;
  await forgetEnded();
}

/** @param {{kind: string, id?: number, handle?: string, name?: string, has_password?: boolean, role?: string, server?: any}} answer */
function follow({ kind, id, handle = "", name = "", has_password: hasOne = true, role: next = "guest", server }) {
  if (server) learnServer(server);
  hasPassword.value = hasOne;
  role.value = next;
  if (kind === "guest" || id === undefined) {
    if (isSignedIn.peek()) end(ENDED);
    return !isSignedIn.peek();
  }
  const known = account.peek();
  if (id !== known?.id || handle !== known.handle) become({ id, handle, name });
  else if (name !== known.name) noteAccount({ id, handle, name });
  return id === account.peek()?.id;
}

/** @param {Account} next @returns {Promise<boolean>} whether the page is loaded anew */
async function become(next) {
  if (!account.peek()) await bringAlong(next);
  else if (owner && owner.id !== next.id) await dropAll(owner.id);
  const { id = next.id, handle = next.handle } = account.peek() ?? {};
  const isOther = id !== next.id || handle !== next.handle; // the page shows the rooms of one account alone
  const isLoadedAnew = storeAccount(next) || isOther;
  if (isLoadedAnew) location.reload();
  else {
    stopKeeping(); // the browser may have a little space: what is the account's is not to be kept for a guest
    goOnAs(next);
  }
  return isLoadedAnew;
}

/** Gives an account what the guest of this page has written and chosen. @param {Account} next */
async function bringAlong(next) {
  await makeDrafts();
  takeAlong(next);
}

/** Drops what is kept for the account, and loads the page for a guest. @param {string} why */
async function leaveFor(why) {
  if (owner) await dropAll(owner.id);
  leave(why);
}

/** Loads the page for a guest. @param {string} [why] */
function leave(why = "") {
  removeAccount();
  if (why) leaveFarewell(why);
  loadForGuest();
}

/** Loads the page anew, and not at the address of a room that guests shall not see. */
function loadForGuest() {
  if (isPrivateSlug(partsOf(location.pathname).room)) location.replace("/");
  else location.reload();
}

/** What another tab has made of the account. @param {Account | null} next */
async function take(next) {
  if (next && next.id === owner?.id && next.handle === owner.handle) account.value = next;
  else {
    if (owner && next?.id !== owner.id) stopKeeping(); // what the page keeps as it goes would be left behind
    if (next && !account.peek()) await bringAlong(next);
    if (next) return location.reload();
    if (owner) leaveFarewell(parting || withLoss(OUT));
    loadForGuest();
  }
}
