import { html } from "../../html.js";
import { copyAndTell } from "../toast.js";

/**
 * Draws a secret that was just made, which nobody can read again; nothing without one.
 *
 * @param {{what: string, made: {readonly value: {secret: string}}}} props
 */
export function ShownOnce({ what, made }) {
  const { secret } = made.value;
  if (!secret) return null;
  return html`
    <div class="shown-once" role="status">
      <p>Copy ${what} now: it is not shown again.</p>
      <div>
        <code tabindex="0">${secret}</code>
        <button class="plain" type="button" onClick=${() => copyAndTell(secret, "Copied")}>Copy</button>
      </div>
    </div>
  `;
}
