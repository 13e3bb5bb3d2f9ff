import { render } from "preact";
import { showDialog } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { focusComposer } from "../composer/focus.js";
import { typeHeldKeys } from "../held-keys.js";
import { Toast } from "../toast.js";

/** Moves the focus to what is below a dialog, where the one that had it is gone. */
function focusBelow() {
  if (document.activeElement !== document.body) return;
  /** @type {HTMLElement | null} */
  const below = document.querySelector("dialog:modal button");
  if (below) below.focus();
  else focusComposer();
}

/**
 * Opens a dialog that is there only while it is open.
 *
 * @param {{label: string, className?: string}} options `label` is the id of its heading
 * @param {(close: () => void) => any} content
 * @returns {HTMLDialogElement}
 */
export function showInDialog({ label, className = "" }, content) {
  const dialog = document.createElement("dialog");
  dialog.className = `dialog ${className}`;
  dialog.setAttribute("aria-labelledby", label);
  (document.querySelector(".app") ?? document.body).append(dialog);
  dialog.addEventListener("close", () => {
    render(null, dialog);
    dialog.remove();
    focusBelow();
  });
  render(html`${content(() => dialog.close())}<${Toast} />`, dialog);
  showDialog(dialog);
  typeHeldKeys();
  return dialog;
}
