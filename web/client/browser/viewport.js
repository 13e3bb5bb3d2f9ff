import { signal } from "@preact/signals";

/** Browsers' bars cover less than this, keyboards more. */
const KEYBOARD_PX = 120;

/**
 * Shrinks the page where a phone's keyboard covers it (Safari).
 *
 * The composer and the newest message stay in sight. In other browsers `100dvh` shrinks by itself, and nothing is set.
 */
export function shrinkForKeyboard() {
  const view = window.visualViewport;
  const root = document.documentElement;
  view?.addEventListener("resize", () => {
    const height = view.height * view.scale;
    const covered = innerHeight - height > KEYBOARD_PX;
    if (covered) root.style.setProperty("--height", `${height}px`);
    else root.style.removeProperty("--height");
    if (covered) scrollTo(0, 0);
  });
}

/** Screens of phones, upright or across: the rooms are a drawer. styles/screens.css has the same words. */
export const isNarrow = matches("(max-width: 47.99rem), (max-height: 30rem) and (pointer: coarse)");
/** There is a column beside the conversation. styles/screens.css has the same words. */
export const isWide = matches("(min-width: 80rem)");
/** The person points with a finger, and may have no keys. */
export const isTouch = matches("(pointer: coarse)");

/** Follows a media query. @param {string} query */
function matches(query) {
  const list = matchMedia(query);
  const matched = signal(list.matches);
  list.addEventListener("change", () => (matched.value = list.matches));
  return matched;
}
