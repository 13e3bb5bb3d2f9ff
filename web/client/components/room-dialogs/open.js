/** Opens the dialogs of rooms, which are loaded then: a visit without them costs nothing. */

import { loadPart } from "../load-part.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Companion} Companion */

export function openCreateRoom() {
  loadPart(
    () => import("./create.js"),
    ({ showCreateRoom }) => showCreateRoom(),
  );
}

/** @param {Room} room */
export function openInvite(room) {
  loadPart(
    () => import("./invite.js"),
    ({ showInvite }) => showInvite(room),
  );
}

/** @param {Room} room */
export function openLinks(room) {
  loadPart(
    () => import("./links.js"),
    ({ showLinks }) => showLinks(room),
  );
}

/** @param {Room} room */
export function openRoomSettings(room) {
  loadPart(
    () => import("./settings.js"),
    ({ showRoomSettings }) => showRoomSettings(room),
  );
}

/** @param {Room} room */
export function openLeave(room) {
  loadPart(
    () => import("./leave.js"),
    ({ showLeave }) => showLeave(room),
  );
}

/** @param {{room: Room, person: Companion, isBan: boolean}} props */
export function openRemoval(props) {
  loadPart(
    () => import("./removal.js"),
    ({ showRemoval }) => showRemoval(props),
  );
}

/** @param {string} code of the address */
export function openJoin(code) {
  loadPart(
    () => import("./join.js"),
    ({ showJoin }) => showJoin(code),
  );
}
