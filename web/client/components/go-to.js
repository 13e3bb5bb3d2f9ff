import { message, slug, visit } from "../browser/route.js";
import { focusComposer } from "./composer/focus.js";
import { closeDrawer } from "./sidebar/drawer.js";

/** Shows a room as its own address does, and moves the focus to where one writes in it. @param {string} room */
export function goTo(room) {
  if (room === slug.peek() && !message.peek()) closeDrawer();
  else visit(room);
  focusComposer();
}
