import { html } from "../../html.js";
import { showInDialog } from "./show.js";

const TITLE = "sign-out-title";

/** A provider does not say beforehand who will be signed in. */
const QUESTIONS = {
  out: { title: "Sign out?", cause: "Signing out", no: "Stay signed in", yes: "Sign out" },
  in: { title: "Sign in?", cause: "Signing in as somebody else", no: "Cancel", yes: "Sign in" },
};

/**
 * Asks whether what was written and not sent may go. The harmless answer has the focus.
 *
 * @param {number} messages
 * @param {number} drafts
 * @param {"out" | "in"} way
 * @returns {Promise<boolean>}
 */
export function askToLose(messages, drafts, way) {
  const { title, cause, no, yes } = QUESTIONS[way];
  let isSure = false;
  const dialog = showInDialog({ label: TITLE, className: "question" }, (close) => {
    const goOn = () => {
      isSure = true;
      close();
    };
    return html`
      <h2 id=${TITLE}>${title}</h2>
      <p>${lost(messages, drafts)} ${cause} erases what you have written here.</p>
      <div class="actions">
        <button class="plain" type="button" autofocus onClick=${close}>${no}</button>
        <button class="primary bad" type="button" onClick=${goOn}>${yes}</button>
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
