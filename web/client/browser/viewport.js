/** Less than this is a browser's bar, not a keyboard. */
const KEYBOARD_PX = 120;

/**
 * Where the phone's keyboard covers the page instead of shrinking it (Safari), the page shrinks itself, so that the
 * composer and the newest message stay in sight. Elsewhere `100dvh` does, and nothing is set.
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
