/** The worker that finds tokens in code. It has no import map, so its addresses are whole. */

import { tokenizer } from "../node_modules/@speed-highlight/core/dist/tokenize.js";

/** A grammar is loaded when code of its language comes; grammars use each other. */
const GRAMMARS = {
  bash: () => import("../node_modules/@speed-highlight/core/dist/languages/bash.js"),
  c: () => import("../node_modules/@speed-highlight/core/dist/languages/c.js"),
  css: () => import("../node_modules/@speed-highlight/core/dist/languages/css.js"),
  diff: () => import("../node_modules/@speed-highlight/core/dist/languages/diff.js"),
  go: () => import("../node_modules/@speed-highlight/core/dist/languages/go.js"),
  html: () => import("../node_modules/@speed-highlight/core/dist/languages/html.js"),
  java: () => import("../node_modules/@speed-highlight/core/dist/languages/java.js"),
  js: () => import("../node_modules/@speed-highlight/core/dist/languages/js.js"),
  jsdoc: () => import("../node_modules/@speed-highlight/core/dist/languages/jsdoc.js"),
  json: () => import("../node_modules/@speed-highlight/core/dist/languages/json.js"),
  py: () => import("../node_modules/@speed-highlight/core/dist/languages/py.js"),
  regex: () => import("../node_modules/@speed-highlight/core/dist/languages/regex.js"),
  rs: () => import("../node_modules/@speed-highlight/core/dist/languages/rs.js"),
  sql: () => import("../node_modules/@speed-highlight/core/dist/languages/sql.js"),
  todo: () => import("../node_modules/@speed-highlight/core/dist/languages/todo.js"),
  ts: () => import("../node_modules/@speed-highlight/core/dist/languages/ts.js"),
  xml: () => import("../node_modules/@speed-highlight/core/dist/languages/xml.js"),
  yaml: () => import("../node_modules/@speed-highlight/core/dist/languages/yaml.js"),
};

/** @type {Map<string, () => Promise<{default: any}>>} */
const grammars = new Map(Object.entries(GRAMMARS));

self.onmessage = async ({ data: { language, code } }) => {
  // Without its grammar the code stays as it is.
  self.postMessage(await spansOf(language, code).catch(() => []));
};

/**
 * Finds the spans of a piece of code: the length and the kind of each token, in order. No text goes back.
 *
 * @param {string} language
 * @param {string} code
 * @returns {Promise<import("./highlight.js").Spans>}
 */
async function spansOf(language, code) {
  /** @type {import("./highlight.js").Spans} */
  const spans = [];
  const add = (/** @type {string} */ text, kind = "") => {
    const last = spans.at(-1);
    if (last?.[1] === kind) last[0] += text.length;
    else if (text) spans.push([text.length, kind]);
  };
  const search = tokenizer(code, language, add);
  for (let step = search.next(); !step.done;) step = search.next(await grammarOf(step.value));
  return spans;
}

/** @param {string} language */
async function grammarOf(language) {
  return (await grammars.get(language)?.())?.default;
}
