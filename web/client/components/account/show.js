import { render } from "preact";
import { showDialog } from "../../browser/overlays.js";
import { html } from "../../html.js";
import { Toast } from "../toast.js";

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
  });
  render(html`${content(() => dialog.close())}<${Toast} />`, dialog);
  showDialog(dialog);
  return dialog;
}
