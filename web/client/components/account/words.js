import { drafts, threadDrafts } from "../../drafts.js";
import { removed } from "../../memberships/removed.js";
import { putEditsAside } from "../composer/edits.js";
import { hasPutAside } from "../composer/put-aside.js";

/**
 * Whether something is here that was written and not sent: a draft, an edit, a post, what is left of a room.
 *
 * @param {import("../../visited-rooms.js").VisitedRooms} visited
 */
export function hasWordsToLose({ all, unsent }) {
  putEditsAside();
  const isBegun = drafts.keys.peek().size > 0 || threadDrafts.keys.peek().size > 0 || hasPutAside();
  const isLeft = [...removed.peek().values()].some(({ text }) => text !== "");
  return isBegun || isLeft || unsent.peek().size > 0 || all.peek().some(hasEdits);
}

/** Whether edits of messages wait or were refused. @param {import("../../room/room.js").Room} room */
function hasEdits({ operations }) {
  return operations.pending.peek().some(({ kind }) => kind === "edit");
}
