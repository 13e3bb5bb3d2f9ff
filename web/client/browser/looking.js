import { signal } from "@preact/signals";

/** The person looks at this page: it is visible, and its window has the focus. */
export const isLooking = signal(isNow());

/** Follows the window and the tab. */
export function watchLooking() {
  const update = () => (isLooking.value = isNow());
  for (const event of ["focus", "blur"]) addEventListener(event, update);
  document.addEventListener("visibilitychange", update);
  update();
}

function isNow() {
  return globalThis.document?.visibilityState === "visible" && document.hasFocus();
}
