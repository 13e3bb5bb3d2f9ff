import { html } from "../../html.js";
import { showInDialog } from "./show.js";

const TITLE = "sign-out-title";

/**
 * Asks whether what was written and not sent may go. The harmless answer has the focus.
 *
 * @param {number} messages
 * @param {number} drafts
 * @returns {Promise<boolean>}
 */
export function askToLose(messages, drafts) {
  let isSure = false;
  const dialog = showInDialog({ label: TITLE, className: "question" }, (close) => {
    const signOut = () => {
      isSure = true;
      close();
    };
    return html`
      <h2 id=${TITLE}>Sign out?</h2>
      <p>${lost(messages, drafts)} Signing out erases what you have written here.</p>
      <div class="actions">
        <button class="plain" type="button" autofocus onClick=${close}>Stay signed in</button>
        <button class="primary bad" type="button" onClick=${signOut}>Sign out</button>
      </div>
    `;
  });
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(isSure)));
}

/** @param {number} messages @param {number} drafts */
function lost(messages, drafts) {
  const unsent = messages === 1 ? "One message is not sent." : messages && `${messages} messages are not sent.`;
  const begun = drafts === 1 ? "There is a draft." : drafts && `There are ${drafts} drafts.`;
  return [unsent, begun].filter(Boolean).join(" ");
}
