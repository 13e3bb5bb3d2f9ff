/** Opens the dialogs of rooms, which are loaded then: a visit without them costs nothing. */

import { showToast } from "../toast.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Companion} Companion */

export function openCreateRoom() {
  load(async () => (await import("./create.js")).showCreateRoom());
}

/** @param {Room} room */
export function openInvite(room) {
  load(async () => (await import("./invite.js")).showInvite(room));
}

/** @param {Room} room */
export function openLinks(room) {
  load(async () => (await import("./links.js")).showLinks(room));
}

/** @param {Room} room */
export function openRoomSettings(room) {
  load(async () => (await import("./settings.js")).showRoomSettings(room));
}

/** @param {Room} room */
export function openLeave(room) {
  load(async () => (await import("./leave.js")).showLeave(room));
}

/** @param {{room: Room, person: Companion, isBan: boolean}} props */
export function openRemoval(props) {
  load(async () => (await import("./removal.js")).showRemoval(props));
}

/** @param {string} code of the address */
export function openJoin(code) {
  load(async () => (await import("./join.js")).showJoin(code));
}

/** @param {() => Promise<void>} show */
async function load(show) {
  try {
    await show();
  } catch {
    showToast("That could not be loaded. Is the server there?");
  }
}
