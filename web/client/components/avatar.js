import { html } from "../html.js";
import { initials, tint } from "../text/names.js";

/**
 * Draws a person's letters, hollow for a guest among people with accounts. Hidden from screen readers, as the name is
 * beside it.
 *
 * @param {{name: string, isGuest?: boolean}} props
 */
export function Avatar({ name, isGuest = false }) {
  const classes = `avatar tint-${tint(name)}${isGuest ? " guest" : ""}`;
  return html`<span class=${classes} aria-hidden="true">${initials(name)}</span>`;
}
