import { batch, signal } from "@preact/signals";
import { SLUG } from "../messages.js";
import { addEntry, changeEntry, forgetOverlays, returned } from "./overlays.js";
import { ofTab } from "./web-storage.js";

export const LOBBY = "lobby";

/** The key of the code of an invitation, while the person is at a provider. */
const INVITATION = "chatter:invitation";

/** A message's seq in an address: as many digits as are exact in any case. The server has the same pattern. */
const SEQ = /^[1-9][0-9]{0,14}$/;

/** The slug of the room in the address bar. */
export const slug = signal(LOBBY);

/** The message in the address bar. Each visit makes another object, so that the same message is shown anew. */
export const message = signal(/** @type {{seq: number} | null} */ (null));

/** @param {string} room */
export function pathOf(room) {
  return room === LOBBY ? "/" : `/rooms/${room}`;
}

/** @param {string} room @param {number} seq */
export function messagePath(room, seq) {
  return `/rooms/${room}/${seq}`;
}

/** @param {string} room */
export function visit(room) {
  if (room === slug.peek() && !message.peek()) return;
  addEntry(pathOf(room));
  follow(pathOf(room));
}

/** Opens a room at a message. @param {string} room @param {number} seq */
export function visitMessage(room, seq) {
  const path = messagePath(room, seq);
  if (isElsewhere(path)) addEntry(path);
  follow(path);
}

/** Takes the message out of the address, which is the room's again. */
export function leaveMessage() {
  if (!message.peek()) return;
  changeEntry(pathOf(slug.peek()));
  message.value = null;
}

/**
 * Takes what the fragment brings out of the address, so that it is neither seen nor kept in the history.
 *
 * It is a link's or an invite's secret, since browsers send fragments to nobody, or what has become of signing in
 * with a provider. An invite has the address of an invitation until the person has decided: signing in may load the page
 * anew, or go elsewhere.
 */
export function takeFragment() {
  const given = new URLSearchParams(location.hash.slice(1));
  const failure = given.get("sign-in") === "failed" ? given.get("reason") || "failed" : "";
  const back = given.get("sign-in") === "back" ? "back" : "";
  const brought = { link: given.get("link") ?? "", invite: given.get("invite") ?? "", failure, back };
  if (Object.values(brought).some(Boolean)) {
    const { invite } = brought;
    const address = invite ? `/join/${encodeURIComponent(invite)}` : location.pathname + location.search;
    history.replaceState(history.state, "", address);
  }
  return brought;
}

/** Returns the code of a link into a room, while the address has one. */
export function joinCode() {
  const code = /^\/join\/([^/]{1,64})\/?$/.exec(location.pathname)?.[1] ?? "";
  try {
    return decodeURIComponent(code);
  } catch {
    return code;
  }
}

/** Puts a room in the place of the code in the address: the one that it has led to, or where the person does not want it. @param {string} [room] */
export function leaveJoin(room = slug.peek()) {
  if (!joinCode()) return;
  changeEntry(pathOf(room));
  follow(pathOf(room));
}

/**
 * Gives the address to the room that an invite has led to, at once: the page is about to be loaded anew. One that leads
 * to none leaves the person where they are.
 *
 * @param {string} [room]
 */
export function replaceJoin(room) {
  if (room || joinCode()) history.replaceState(null, "", pathOf(room ?? slug.peek()));
}

/**
 * Returns the page to which a provider is to lead back. An invitation is kept in the tab meanwhile: a provider is told
 * the page, and not to read the code.
 */
export function leaveForProvider() {
  const code = joinCode();
  ofTab.write(INVITATION, code);
  return code ? pathOf(slug.peek()) : location.pathname;
}

/** Gives the address back to the invitation from which the person has left for a provider. */
export function returnToInvitation() {
  const code = ofTab.read(INVITATION);
  ofTab.write(INVITATION, "");
  if (code) history.replaceState(history.state, "", `/join/${encodeURIComponent(code)}${location.hash}`);
}

/** Shows what the address names now. */
export function followPath() {
  follow(location.pathname);
}

export function followAddress() {
  forgetOverlays();
  addEventListener("popstate", () => {
    if (returned()) leaveJoin(); // which says no to the invitation, or comes back to one that was followed
    // The entry of an overlay and the link that skips have the address of the page below them.
    if (isElsewhere(location.pathname)) followPath();
  });
  followPath();
}

/** Whether a path names something else than what is shown. @param {string} path */
function isElsewhere(path) {
  const { room, seq } = partsOf(path);
  return room !== slug.peek() || seq !== (message.peek()?.seq ?? 0);
}

/** Shows what a path names. @param {string} path */
function follow(path) {
  const { room, seq } = partsOf(path);
  batch(() => {
    slug.value = room;
    message.value = seq ? { seq } : null;
  });
}

/** Returns what a path names: the lobby where it names no room, and 0 where it names no message. @param {string} pathname */
export function partsOf(pathname) {
  const [, folder, room = "", seq = "", ...rest] = pathname.split("/");
  const isRoom = folder === "rooms" && SLUG.test(room) && !rest.join("") && (!seq || SEQ.test(seq));
  return { room: isRoom ? room : LOBBY, seq: isRoom ? Number(seq) : 0 };
}

/** Whether a link leads to a room of this server, or to a message in one. @param {string} href */
export function isOwnLink(href) {
  const url = URL.canParse(href) ? new URL(href) : null;
  return url?.origin === location.origin && (url.pathname === "/" || url.pathname.startsWith("/rooms/"));
}

/** Follows a link of this server without loading the page anew. @param {MouseEvent} event */
export function followOwnLink(event) {
  // The browser opens a new tab for these clicks.
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const { room, seq } = partsOf(new URL(/** @type {HTMLAnchorElement} */ (event.currentTarget).href).pathname);
  if (seq) visitMessage(room, seq);
  else visit(room);
}
