/** What only the page of somebody with an account needs: one file, which others never load. */

export { FirstUnread } from "./conversation/first-unread.js";
export { markUnreadFrom } from "./conversation/mark-unread.js";
export { openDirect } from "./direct.js";
export { RemovedNotices, RemovedRoom } from "./removed-room.js";
export { CreateButton } from "./sidebar/create-button.js";
export { HiddenRooms } from "./sidebar/hidden-rooms.js";
export { MeMenu, openMeMenu, readAll } from "./sidebar/me-menu.js";
export { MemberItems } from "./sidebar/member-items.js";
export { followMemberships } from "../memberships/follow.js";
export { seen } from "../memberships/visit.js";
