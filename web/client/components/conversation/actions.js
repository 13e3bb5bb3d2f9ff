import { messagePath } from "../../browser/route.js";
import { isWide } from "../../browser/viewport.js";
import { name } from "../../me.js";
import { membershipOf } from "../../memberships/memberships.js";
import { whyNotWrite } from "../composer/cannot-write.js";
import { leaveEdit, startEdit } from "../composer/edits.js";
import { focusField } from "../composer/focus.js";
import { Copy, Edit, Link, Pin, React, Reply, Trash, Unpin, Unread } from "../icons.js";
import { forMembers } from "../for-members.js";
import { closePanel } from "../panel.js";
import { pickReaction } from "../reactions/pick.js";
import { copyAndTell } from "../toast.js";
import { askToDelete } from "./delete-dialog.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").Row} Row */
/** @typedef {import("./find.js").AnyMessage} AnyMessage */

/**
 * @typedef {object} Subject what an action is done with
 * @property {Room} room
 * @property {AnyMessage} message in its present state
 * @property {HTMLElement} element that shows it
 * @property {HTMLElement} anchor what was pressed; the message itself if that was a key
 */

/**
 * @typedef {object} Action something that can be done with a message
 * @property {string} label
 * @property {() => any} icon
 * @property {string} [key] does it with the message that has the focus
 * @property {(message: AnyMessage, room: Room, element: HTMLElement) => boolean} isFor whether this person may do it
 * @property {(subject: Subject) => void} act
 */

/** All actions, in the order of the toolbar and of the sheet. @type {Action[]} */
const ACTIONS = [
  {
    label: "Add a reaction",
    icon: React,
    key: "+",
    isFor: mayReact,
    act: ({ room, message, anchor, element }) => pickReaction(room, /** @type {Row} */ (message), anchor, element),
  },
  {
    label: "Reply",
    icon: Reply,
    key: "r",
    // In a thread its composer does.
    isFor: (message, room, element) => mayReact(message, room) && !element.closest(".thread"),
    act: ({ room, message }) => {
      leaveEdit(room.slug);
      room.reply(/** @type {Row} */ (message));
      focusField();
    },
  },
  {
    label: "Edit",
    icon: Edit,
    key: "e",
    isFor: (message, room) => room.mayEdit(message) && mayWrite(room),
    act: ({ room, message, element }) => {
      uncover(element);
      startEdit(room.slug, message, element);
      focusField();
    },
  },
  {
    label: "Pin",
    icon: Pin,
    key: "p",
    isFor: (message, room) => isSaid(message) && !isPinned(message) && mayPin(room),
    act: ({ room, message }) => room.pin(/** @type {Row} */ (message)),
  },
  {
    label: "Unpin",
    icon: Unpin,
    key: "p",
    isFor: (message, room) => isPinned(message) && mayPin(room),
    act: ({ room, message }) => room.unpin(/** @type {Row} */ (message)),
  },
  {
    label: "Copy text",
    icon: Copy,
    isFor: (message) => !isGone(message),
    act: ({ message }) => copyAndTell(message.message, "Text copied"),
  },
  {
    label: "Copy link",
    icon: Link,
    isFor: (message) => "seq" in message, // what is not sent yet has no place
    act: ({ room, message }) =>
      copyAndTell(location.origin + messagePath(room.slug, /** @type {Row} */ (message).seq), "Link copied"),
  },
  {
    label: "Mark unread from here",
    icon: Unread,
    key: "u",
    isFor: (message, room, element) =>
      "seq" in message && membershipOf(room.slug) !== undefined && !element.closest(".panel"),
    act: async ({ room, message }) => (await forMembers()).markUnreadFrom(room.slug, /** @type {Row} */ (message).seq),
  },
  {
    label: "Delete",
    icon: Trash,
    key: "Delete",
    isFor: (message, room) => room.mayDelete(message),
    act: askToDelete,
  },
];

/** @param {AnyMessage} message @param {Room} room @param {HTMLElement} element */
export function actionsFor(message, room, element) {
  return ACTIONS.filter(({ isFor }) => isFor(message, room, element));
}

/** Whether this person may react and reply to a message at present. @param {AnyMessage} message @param {Room} room */
export function mayReact(message, room) {
  return isSaid(message) && mayWrite(room);
}

/** @param {Room} room */
export function mayWrite(room) {
  return whyNotWrite(room) === "";
}

/** Whether this person may pin at present: who moderates may where nobody writes. @param {Room} room */
function mayPin(room) {
  const { charter } = room;
  return charter.may("pin") && (mayWrite(room) || (charter.isModerator && !charter.isArchived && !charter.isMuted));
}

/** Whether a message is in the room, and this person is somebody there. @param {AnyMessage} message */
function isSaid(message) {
  return "seq" in message && !isGone(message) && name.value !== "";
}

/** @param {AnyMessage} message */
function isGone(message) {
  return "seq" in message && message.deleted_at !== undefined;
}

/** Whether a message is pinned, and this person is somebody who may unpin it. @param {AnyMessage} message */
function isPinned(message) {
  return "seq" in message && message.pinned_at !== undefined && name.value !== "";
}

/** Takes the panel away that covers the composer. @param {HTMLElement} element that shows the message */
function uncover(element) {
  if (element.closest(".panel") && !isWide.peek()) closePanel();
}
