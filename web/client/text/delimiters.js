/** Where the markers of emphasis and spoilers open and close, as people write them and not as programs are written. */

/** @typedef {"strong" | "em" | "strike" | "spoiler"} Kind */
/** @typedef {{kinds: Kind[], length: number, opens: boolean, closes: boolean}} Run markers of one letter in a row */

const RUN = /\*+|_+|~+|\|+/y;
/** The kinds that a run marks, by its text. Other runs are text: `__init__` is a name, `****` censors a word. */
const KINDS = new Map(
  /** @type {[string, Kind[]][]} */ ([
    ["*", ["em"]],
    ["_", ["em"]],
    ["**", ["strong"]],
    ["***", ["strong", "em"]],
    ["~~", ["strike"]],
    ["||", ["spoiler"]],
  ]),
);

/** Scripts without blanks between words, and pictures: they part words as a blank does. */
const PARTED =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\p{Script=Thai}\\p{Script=Lao}" +
  "\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Extended_Pictographic}\\ufe0f、。，．！？：；";
/** What may stand before a marker that opens. No `/`, `.` or `:`, which are parts of paths and patterns. */
const BEFORE = new RegExp(`[\\s<"',!?¿¡*_~|>—–\\p{Ps}\\p{Pi}\\p{Pf}${PARTED}-]`, "u");
/** What may stand after a marker that closes. */
const AFTER = new RegExp(`[\\s<>"'.,:;!?…*_~|/\\\\—–\\p{Pe}\\p{Pi}\\p{Pf}${PARTED}-]`, "u");
const BLANK = /\s/;
/** What no emphasis begins with: the middle of a path, of a pattern or of a list of arguments. */
const NO_BEGINNING = /\.\w|[,;)\]}/\\%]/y;
const LETTER = /\p{L}/u;

/** Reads the run of markers at a place. @param {string} text @param {number} at @returns {Run} */
export function runAt(text, at) {
  RUN.lastIndex = at;
  const run = RUN.exec(text)?.[0] ?? "";
  const kinds = KINDS.get(run) ?? [];
  if (!kinds.length) return { kinds, length: run.length, opens: false, closes: false };
  const before = characterBefore(text, at);
  const after = characterAt(text, at + run.length);
  // Within a word, as in 2*3*4, a**2 or snake_case, only two stars or tildes between letters are markers.
  const isWithinWord = (run[0] === "*" || run[0] === "~") && run.length > 1 && LETTER.test(after);
  NO_BEGINNING.lastIndex = at + run.length;
  const mayBegin = after !== "" && !BLANK.test(after) && !NO_BEGINNING.test(text);
  return {
    kinds,
    length: run.length,
    opens: mayBegin && (before === "" || BEFORE.test(before) || (isWithinWord && LETTER.test(before))),
    closes: before !== "" && !BLANK.test(before) && (after === "" || AFTER.test(after) || isWithinWord),
  };
}

/** @param {string} text @param {number} at */
function characterAt(text, at) {
  return at < text.length ? String.fromCodePoint(text.codePointAt(at) ?? 0) : "";
}

/** @param {string} text @param {number} at */
function characterBefore(text, at) {
  const isPair = /[\udc00-\udfff]/.test(text.charAt(at - 1)) && at > 1;
  return at > 0 ? characterAt(text, isPair ? at - 2 : at - 1) : "";
}
