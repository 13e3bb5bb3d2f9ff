import { useSignal } from "@preact/signals";
import { problemOf, waitWords } from "../../account/refusals.js";
import { html } from "../../html.js";
import { useTime } from "../use-time.js";

/** @typedef {import("../../account/api.js").Refusal} Refusal */

const SECOND_MS = 1000;
const NONE = { field: "", words: "", until: 0 };

/** Keeps why something was refused, until it is cleared or, where one was to wait, until the time is over. */
export function useProblem() {
  const refused = useSignal(/** @type {import("../../account/refusals.js").Problem & {until: number}} */ (NONE));
  const { field, words, why, until } = refused.value;
  useTime(until, SECOND_MS);
  const isOver = until > 0 && until <= Date.now();
  return {
    field: isOver ? "" : field,
    /** What to draw; empty where there is nothing to say. */
    words: why ? !isOver && html`<${Wait} words=${words} why=${why} until=${until} />` : words,
    clear: () => void (refused.value = NONE),
    /** @param {unknown} refusal @param {HTMLFormElement | null} [form] a field that it does not have is not to blame */
    note(refusal, form) {
      const { retry_after_ms: ms } = /** @type {Refusal} */ (refusal);
      const problem = problemOf(/** @type {Refusal} */ (refusal));
      const found = /** @type {HTMLElement | null} */ (form?.elements.namedItem(problem.field) ?? null);
      refused.value = { ...problem, field: found ? problem.field : "", until: ms ? Date.now() + ms : 0 };
      found?.focus();
    },
  };
}

/** Counts down until one may try again. Screen readers hear it once. @param {{words: string, why: string, until: number}} props */
function Wait({ words, why, until }) {
  return html`
    ${why} <span aria-hidden="true">${waitWords(until - Date.now())}</span>
    <span class="sr-only">${words.slice(why.length + 1)}</span>
  `;
}
