import { signal } from "@preact/signals";
import { copyText } from "../browser/clipboard.js";
import { html } from "../html.js";

const SHOWN_MS = 3000;
const words = signal("");
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Shows a short answer to what the person did, and has it read out. @param {string} answer */
export function showToast(answer) {
  clearTimeout(timer);
  words.value = answer;
  timer = setTimeout(() => (words.value = ""), SHOWN_MS);
}

/** @param {string} text @param {string} answer what is shown if that succeeds */
export async function copyAndTell(text, answer) {
  showToast((await copyText(text)) ? answer : "Your browser does not let this page copy.");
}

/**
 * Draws the answer. The element is always there, so that screen readers read out what appears in it. A modal dialog has
 * one of its own: what is beside it is behind it, and nobody reads that out.
 */
export function Toast() {
  return html`<p class="toast" role="status">${words.value}</p>`;
}
