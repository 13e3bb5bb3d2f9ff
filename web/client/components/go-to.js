import { slug, visit } from "../browser/route.js";
import { focusComposer } from "./composer/focus.js";
import { closeDrawer, isDrawerOpen } from "./sidebar/drawer.js";

/** Shows a room, and moves the focus to where one writes in it. @param {string} room */
export function goTo(room) {
  if (room === slug.peek()) closeDrawer();
  else {
    isDrawerOpen.value = false;
    visit(room);
  }
  focusComposer();
}
