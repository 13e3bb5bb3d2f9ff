import { messagePath } from "../../browser/route.js";
import { Copy, Link } from "../icons.js";
import { copyAndTell } from "../toast.js";

/** @typedef {import("../../messages.js").Posted} Posted */
/** @typedef {import("../../room/posts.js").PendingPost} PendingPost */

/**
 * @typedef {object} Action something that can be done with a message
 * @property {string} label
 * @property {() => any} icon
 * @property {(message: Posted | PendingPost) => boolean} isFor whether a message has this action
 * @property {(message: Posted | PendingPost, slug: string) => void} act
 */

/** All actions, in the order of the toolbar and of the sheet. @type {Action[]} */
const ACTIONS = [
  {
    label: "Copy text",
    icon: Copy,
    isFor: () => true,
    act: (message) => copyAndTell(message.message, "Text copied"),
  },
  {
    label: "Copy link",
    icon: Link,
    isFor: (message) => "seq" in message, // what is not sent yet has no place
    act: (message, slug) =>
      copyAndTell(location.origin + messagePath(slug, /** @type {Posted} */ (message).seq), "Link copied"),
  },
];

/** @param {Posted | PendingPost} message */
export function actionsFor(message) {
  return ACTIONS.filter(({ isFor }) => isFor(message));
}
