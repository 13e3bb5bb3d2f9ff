import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { html } from "../../html.js";
import { holdKeys } from "../held-keys.js";
import { useProblem } from "./problem.js";

/**
 * Draws a form that asks the server for something. What it refuses is said beside the field that is to blame, which
 * gets the focus, or else above the buttons. In an open dialog a form takes the focus of the button that it replaces.
 *
 * @param {object} props
 * @param {(values: Record<string, string>) => Promise<void | boolean>} props.send rejects with a `Refusal`; false where the
 *   person has gone back
 * @param {(field: (props: FieldProps) => any) => any} props.children draws the fields
 * @param {any} props.actions the buttons
 * @param {string} [props.label] of a form without a heading
 * @param {boolean} [props.resets] it is for one thing after the other
 * @param {{problem: any, clear: () => void}} [props.list] is beside it: of both only the latest problem is said
 */
export function Form({ send, children, actions, label, resets, list }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const problem = useProblem();
  const isBusy = useSignal(false);
  useLayoutEffect(() => takeLostFocus(form.current), []);
  const isSaidThere = Boolean(list?.problem);
  useLayoutEffect(() => void (isSaidThere && problem.clear()), [isSaidThere]);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (isBusy.peek()) return;
    isBusy.value = true;
    problem.clear();
    list?.clear();
    const keys = holdKeys();
    try {
      const isDone = await send(valuesOf(/** @type {HTMLFormElement} */ (form.current)));
      if (resets && isDone !== false) form.current?.reset();
      keys.type();
    } catch (refusal) {
      problem.note(refusal, form.current);
      keys.giveBack();
    } finally {
      isBusy.value = false;
    }
  };
  const field = (/** @type {FieldProps} */ props) =>
    html`<${Field} ...${props} problem=${problem.field === props.name ? problem.words : ""} />`;
  return html`
    <form ref=${form} onSubmit=${submit} novalidate aria-busy=${isBusy.value} aria-label=${label}>
      ${children(field)}
      <p class="problem" role="alert">${!problem.field && problem.words}</p>
      <div class="actions">${actions}</div>
    </form>
  `;
}

/**
 * @typedef {object} FieldProps
 * @property {string} name
 * @property {string} label
 * @property {string} [hint]
 * @property {string} [type]
 * @property {string} autocomplete
 * @property {string} [value] at first
 * @property {boolean} [autofocus]
 * @property {boolean} [readonly]
 */

/** How many fields have been drawn: two forms on one page may have fields of one name. */
let fields = 0;

/** @param {FieldProps & {problem: any}} props `problem` is drawn in place of the hint */
function Field({ name, label, hint, type = "text", autocomplete, value = "", autofocus, readonly, problem }) {
  const id = useMemo(() => `account-field-${(fields += 1)}`, []);
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      <input
        id=${id}
        name=${name}
        type=${type}
        defaultValue=${value}
        autocomplete=${autocomplete}
        autocapitalize="none"
        spellcheck=${false}
        autofocus=${autofocus}
        readonly=${readonly}
        aria-invalid=${Boolean(problem)}
        aria-describedby=${`${id}-about`}
      />
      <p id=${`${id}-about`} class=${problem ? "problem" : "hint"} role=${problem ? "alert" : undefined}>
        ${problem || hint}
      </p>
    </div>
  `;
}

/** @param {HTMLFormElement} form @returns {Record<string, string>} */
function valuesOf(form) {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}

/** @param {HTMLFormElement | null} form */
function takeLostFocus(form) {
  if (!form?.closest("dialog:modal") || document.activeElement !== document.body) return;
  /** @type {HTMLElement | null} */ (form.querySelector("[autofocus]") ?? form.querySelector("input, button"))?.focus();
}

/** Reads a handle as people write it. @param {string} [typed] */
export function cleanHandle(typed = "") {
  return typed.trim().replace(/^@/, "").toLowerCase();
}
