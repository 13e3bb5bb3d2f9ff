/** Lists: which lines are items, and which lines belong to an item. */

/** @typedef {{ordered: boolean, number: number, indent: number, width: number, rest: string}} Marker an item's first line */
/** @typedef {{number: number, lines: string[]}} ItemLines */

const WORD = /\S/;
const MARKER = /^( {0,3})(?:[-*]|(\d{1,3})[.)])[ \t]/;
/** What is indented by so much more than a marker belongs to the item. */
const INDENT = 2;
const TAB = 4;

/** Reads the marker that begins an item; an item has text. @param {string} line @returns {Marker | null} */
export function itemOf(line) {
  const [marker, indent = "", digits] = MARKER.exec(line) ?? [];
  if (marker === undefined) return null;
  const rest = line.slice(marker.length);
  if (isBlank(rest)) return null;
  return {
    ordered: digits !== undefined,
    number: Number(digits ?? 0),
    indent: indent.length,
    width: marker.length,
    rest,
  };
}

/**
 * Takes the items of the list that begins at a line.
 *
 * @param {string[]} lines
 * @param {number} from
 * @param {Marker} first
 * @param {() => boolean} takeItem whether one more item may be made
 * @returns {{items: ItemLines[], next: number}} and the line after the list
 */
export function takeList(lines, from, first, takeItem) {
  /** @type {ItemLines[]} */
  const items = [];
  /** @type {Marker | null} */
  let marker = first;
  let at = from;
  while (marker) {
    const end = endOfItem(lines, at + 1, marker);
    const inner = lines.slice(at + 1, end).map(outdenter(marker.width));
    items.push({ number: numberAfter(items.at(-1)?.number ?? 0, marker.number), lines: [marker.rest, ...inner] });
    at = skipBlank(lines, end);
    const next = itemOf(lines[at] ?? "");
    marker = next?.ordered === first.ordered && takeItem() ? next : null;
    if (!marker) at = end;
  }
  return { items, next: at };
}

/** An item has the number that was typed, if that is higher than the last. @param {number} last @param {number} typed */
function numberAfter(last, typed) {
  return last === 0 || typed > last ? typed : last + 1;
}

/** Returns the line after an item: blank lines belong to it only between its own. */
function endOfItem(/** @type {string[]} */ lines, /** @type {number} */ from, /** @type {Marker} */ { indent }) {
  let end = from;
  for (let at = from; at < lines.length; at = end) {
    at = skipBlank(lines, at);
    if (at >= lines.length || columnsOf(lines[at] ?? "") < indent + INDENT) break;
    end = at + 1;
  }
  return end;
}

/** @param {string[]} lines @param {number} at */
function skipBlank(lines, at) {
  while (at < lines.length && isBlank(lines[at] ?? "")) at += 1;
  return at;
}

/** @param {string} line */
export function isBlank(line) {
  return !WORD.test(line);
}

/** Returns how far a line is indented. @param {string} line */
function columnsOf(line) {
  let columns = 0;
  for (const letter of line) {
    if (letter === " ") columns += 1;
    else if (letter === "\t") columns += TAB;
    else break;
  }
  return columns;
}

/** Returns a function that takes an indentation, or what there is of it, from a line. @param {number} width */
function outdenter(width) {
  return (/** @type {string} */ line) => {
    let at = 0;
    for (let columns = 0; columns < width && (line[at] === " " || line[at] === "\t"); at += 1)
      columns += line[at] === "\t" ? TAB : 1;
    return line.slice(at);
  };
}
