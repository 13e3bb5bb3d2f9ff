import { html } from "../html.js";
import { initials, tint } from "../text.js";

/** The name stands beside it, so it says nothing to a screen reader. @param {{name: string}} props */
export function Avatar({ name }) {
  return html`<span class="avatar tint-${tint(name)}" aria-hidden="true">${initials(name)}</span>`;
}
