import { effect, signal } from "@preact/signals";
import { isNarrow } from "../../browser/viewport.js";

/** The drawer with the rooms is open. Only narrow screens have it. */
export const isDrawerOpen = signal(false);
/** The browser is on its way back from the drawer's entry in its history. */
let isReturning = false;

/** Opens the drawer in front of the page, which the browser's Back shows again. */
export function openDrawer() {
  isDrawerOpen.value = true;
  if (!isReturning) addEntry();
}

export function closeDrawer() {
  isDrawerOpen.value = false;
  if (isReturning || !history.state?.isOverlay) return;
  isReturning = true;
  history.back();
}

/** Lets Back and a wider screen close the drawer. */
export function watchDrawer() {
  // A page that was reloaded has no drawer open.
  if (history.state?.isOverlay) history.replaceState(null, "");
  addEventListener("popstate", returned);
  effect(() => {
    if (!isNarrow.value) closeDrawer();
  });
}

function returned() {
  if (!isReturning) isDrawerOpen.value = false;
  else if (isDrawerOpen.peek()) addEntry(); // opened again meanwhile
  isReturning = false;
}

function addEntry() {
  history.pushState({ isOverlay: true }, "");
}
