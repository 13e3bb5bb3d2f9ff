import { markUnread } from "../../memberships/read-marks.js";
import { showToast } from "../toast.js";

/** Makes a message of a room and all later ones unread, and says so. @param {string} slug @param {number} seq */
export async function markUnreadFrom(slug, seq) {
  const why = await markUnread(slug, seq);
  showToast(why ? `That did not work: ${why}.` : "Unread from here on");
}
