/** What only the page of somebody with an account needs: one file, which others never load. */

export { peopleSource } from "./composer/people-source.js";
export { ConfirmCall } from "./conversation/confirm-call.js";
export { FirstUnread } from "./conversation/first-unread.js";
export { markUnreadFrom } from "./conversation/mark-unread.js";
export { NotHere } from "./conversation/not-here.js";
export { RoomNotes } from "./conversation/room-notes.js";
export { openDirect } from "./direct.js";
export { MembersPanel } from "./people/members-panel.js";
export { RoomActions } from "./people/room-actions.js";
export { RemovedNotices, RemovedRoom } from "./removed-room.js";
export { CreateButton } from "./sidebar/create-button.js";
export { HiddenRooms } from "./sidebar/hidden-rooms.js";
export { MeMenu, openMeMenu, readAll } from "./sidebar/me-menu.js";
export { MemberItems } from "./sidebar/member-items.js";
export { followMemberships } from "../memberships/follow.js";
export { seen } from "../memberships/visit.js";
