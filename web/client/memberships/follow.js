import { watchHeard } from "./heard.js";
import { watchHere } from "./here.js";
import { myTopic } from "./my-topic.js";
import { watchNotifications } from "./notifications.js";
import { watchReports } from "./read-marks.js";
import { watchRemovals } from "./removals.js";
import { watchVisits } from "./visit.js";

/** @typedef {import("../visited-rooms.js").VisitedRooms} VisitedRooms */
/** @typedef {import("../visited-rooms.js").Outboxes} Outboxes */

/**
 * Follows the rooms of somebody with an account: how far they have read, and what they want to notice.
 *
 * @param {import("phoenix").Socket} socket
 * @param {VisitedRooms} visited
 * @param {Outboxes} outboxes
 * @param {(slug: string) => void} open shows a room
 */
export function followMemberships(socket, visited, outboxes, open) {
  watchRemovals(visited, outboxes);
  watchHeard(visited.all);
  watchHere(visited);
  watchReports();
  watchVisits(visited.current);
  watchNotifications(visited.current, open);
  myTopic.join(socket);
}
