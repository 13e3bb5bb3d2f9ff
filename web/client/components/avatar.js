import { html } from "../html.js";
import { initials, tint } from "../text/names.js";

/** Draws a person's letters. Hidden from screen readers, as the name is beside it. @param {{name: string}} props */
export function Avatar({ name }) {
  return html`<span class="avatar tint-${tint(name)}" aria-hidden="true">${initials(name)}</span>`;
}
