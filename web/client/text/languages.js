/** The languages that are coloured, by the names that people give them. */

const NAMES = {
  bash: "bash sh shell zsh console",
  c: "c h c++ cpp cc hpp cxx",
  css: "css scss less",
  diff: "diff patch",
  go: "go golang",
  html: "html htm vue svelte",
  java: "java kotlin kt",
  js: "js javascript jsx mjs cjs node",
  json: "json jsonc json5",
  py: "py python python3",
  rs: "rs rust",
  sql: "sql postgresql postgres sqlite mysql",
  ts: "ts typescript tsx",
  xml: "xml svg",
  yaml: "yaml yml",
};

/** @typedef {keyof typeof NAMES} Language */

const LANGUAGES = new Map(
  Object.entries(NAMES).flatMap(([language, names]) =>
    names.split(" ").map((name) => /** @type {[string, Language]} */ ([name, language])),
  ),
);

/** @param {string} name in small letters @returns {Language | undefined} */
export function languageOf(name) {
  return LANGUAGES.get(name);
}
