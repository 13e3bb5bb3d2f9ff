import { effect, signal } from "@preact/signals";
import { overlayClosed, overlayOpened } from "../../browser/overlays.js";
import { isNarrow } from "../../browser/viewport.js";

/** The drawer with the rooms is open. Only narrow screens have it. */
export const isDrawerOpen = signal(false);

/** Opens the drawer in front of the page, which the browser's Back shows again. */
export function openDrawer() {
  isDrawerOpen.value = true;
  overlayOpened(isDrawerOpen, closeDrawer);
}

export function closeDrawer() {
  if (!isDrawerOpen.peek()) return;
  isDrawerOpen.value = false;
  overlayClosed(isDrawerOpen);
}

/** Lets a wider screen close the drawer. Keys and fingers reach the page behind it as soon as it is closed. */
export function watchDrawer() {
  effect(() => {
    if (!isNarrow.value) closeDrawer();
  });
  effect(() => {
    const isBehind = isDrawerOpen.value;
    document.querySelector("main")?.toggleAttribute("inert", isBehind);
  });
}
