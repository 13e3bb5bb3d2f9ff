import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { copyText } from "../../browser/clipboard.js";
import { html } from "../../html.js";
import { tokensOf } from "../../text/highlight.js";
import { Fold, mayBeLong } from "./fold.js";

/** How long the button says that it has copied. */
const COPIED_MS = 2000;

/**
 * Draws a block of code with its language and a button that copies it. The colours come later, if at all.
 *
 * @param {{name: string, language: string, text: string}} props `name` is the message's id and the place in it
 */
export function Code({ name, language, text }) {
  const block = html`<pre dir="ltr"><code><${Tokens} language=${language} text=${text} /></code></pre>`;
  return html`
    <div class="code" data-lang=${language || undefined}>
      <div class="code-bar">
        <span class="language">${language || "code"}</span>
        <${Copy} text=${text} />
      </div>
      ${mayBeLong(text) ? html`<${Fold} name=${name}>${block}<//>` : block}
    </div>
  `;
}

/** @param {{language: string, text: string}} props */
function Tokens({ language, text }) {
  const tokens = useMemo(() => tokensOf(language, text), [language, text]).value;
  return tokens?.map(({ text, kind }) => (kind ? html`<span class="token ${kind}">${text}</span>` : text)) ?? text;
}

/** @param {{text: string}} props */
function Copy({ text }) {
  const result = useSignal("");
  const timer = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async () => {
    result.value = (await copyText(text)) ? "Copied" : "Not copied";
    clearTimeout(timer.current);
    timer.current = setTimeout(() => (result.value = ""), COPIED_MS);
  };
  return html`
    <button class="copy" type="button" tabindex="-1" aria-label="Copy code" onClick=${copy}>
      ${result.value || "Copy"}
    </button>
    <span class="sr-only" role="status">${result.value}</span>
  `;
}
