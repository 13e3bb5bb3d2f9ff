/** Completes the handles of a room's members; they are read when the first one is begun. A plain room calls nobody. */

import { account } from "../../me.js";
import { begunHandle, EVERYBODY } from "../../text/begun-handles.js";

/** @typedef {import("../../room/room.js").Room} Room */
/** @typedef {import("../../messages.js").RoomMember} RoomMember */

const MOST = 6;
/** What these words call. @type {Record<string, string>} */
const HINTS = { here: "members who are here now", room: "all members" };

/** @type {import("./completion.js").Source} */
export const peopleSource = {
  label: "People",
  begun: begunHandle,
  load: ({ charter }) => (charter.view.peek() && !charter.members.peek() ? charter.readMembers() : undefined),
  find: (begun, { charter }) => {
    const wanted = begun.slice(1).toLowerCase();
    const members = [...(charter.members.peek()?.values() ?? [])].filter(({ id }) => id !== account.peek()?.id);
    const words = charter.view.peek() && charter.may("mention_room") ? EVERYBODY : [];
    return [
      ...rankedMembers(members, wanted).map(({ handle, name }) => ({ name, hint: `@${handle}`, insert: `@${handle}` })),
      ...words
        .filter((word) => word.startsWith(wanted))
        .map((word) => ({ name: `@${word}`, hint: HINTS[word] ?? "", insert: `@${word}` })),
    ].slice(0, MOST);
  },
};

/** Returns the members whose handle, or a word of whose name, begins so; handles first. @param {RoomMember[]} members @param {string} wanted */
function rankedMembers(members, wanted) {
  const rankOf = (/** @type {RoomMember} */ { handle, name }) => {
    if (handle.startsWith(wanted)) return 0;
    return name
      .toLowerCase()
      .split(/\s+/)
      .some((word) => word.startsWith(wanted))
      ? 1
      : 2;
  };
  return members.filter((each) => each.handle && rankOf(each) < 2).toSorted((a, b) => rankOf(a) - rankOf(b));
}
