import { findAtoms } from "./atoms.js";
import { runAt } from "./delimiters.js";
import { Frames } from "./frames.js";
import { isSeen, otherHost, targetAt, textOf, withoutLinks } from "./targets.js";

/** @typedef {import("./markdown.js").Inline} Inline */
/** @typedef {import("./budget.js").Budget} Budget */
/** @typedef {import("./delimiters.js").Kind} Kind */
/** @typedef {import("./atoms.js").Atom} Atom */

const SPECIAL = /[\\*_~|[\]:]/g;
const EMOJI = /:[a-z0-9_+-]{1,50}:(?![\p{L}\p{N}])/uy;
/** A name has a letter, so that 10:30:45 is a time. */
const NAMED = /[a-z]|^:(?:\+1|-1|100|1234):$/;
const NO_NAME_AFTER = /[\p{L}\p{N}:/]/u;

/**
 * Parses the text of one paragraph.
 *
 * @param {string} text
 * @param {number} most levels of emphasis
 * @param {Budget} budget
 * @returns {Inline[]}
 */
export function parseInline(text, most, budget) {
  return new InlineParser(text, most, budget).parse();
}

/** InlineParser goes over a paragraph once, from marker to marker. */
class InlineParser {
  #text;
  #budget;
  #frames;
  #atoms;
  /** @type {Atom | undefined} the next one */
  #atom;
  /** The next special character: found once, though atoms come before it. */
  #special = -1;
  /** Where the last emoji ends: another may begin there. */
  #emojiEnd = -1;

  /** @param {string} text @param {number} most @param {Budget} budget */
  constructor(text, most, budget) {
    this.#text = text;
    this.#budget = budget;
    this.#frames = new Frames(most);
    this.#atoms = findAtoms(text);
    this.#atom = this.#atoms.next().value;
  }

  /** @returns {Inline[]} */
  parse() {
    let at = 0;
    while (at < this.#text.length) {
      const next = Math.min(this.#nextSpecial(at), this.#nextAtom(at));
      this.#frames.add(this.#text.slice(at, next));
      at = next === this.#atom?.start ? this.#addAtom(this.#atom) : this.#readMarker(next);
    }
    return this.#frames.finish();
  }

  /** @param {number} at */
  #nextSpecial(at) {
    if (this.#special >= at) return this.#special;
    SPECIAL.lastIndex = at;
    this.#special = SPECIAL.exec(this.#text)?.index ?? this.#text.length;
    return this.#special;
  }

  /** @param {number} at */
  #nextAtom(at) {
    while (this.#atom && this.#atom.start < at) this.#atom = this.#atoms.next().value;
    return this.#atom?.start ?? this.#text.length;
  }

  /** @param {Atom} atom */
  #addAtom({ start, end, node }) {
    if (!this.#budget.takeElement()) return this.#giveUp(start);
    this.#frames.add(node);
    return end;
  }

  /** Adds the rest as text. @param {number} at */
  #giveUp(at) {
    this.#frames.add(this.#text.slice(at));
    return this.#text.length;
  }

  /** Reads what is at a place and returns where to go on. @param {number} at */
  #readMarker(at) {
    switch (this.#text[at]) {
      case undefined:
        return at;
      case "\\":
        return this.#readEscape(at);
      case "[":
        this.#frames.open("label", "[");
        return at + 1;
      case "]":
        return this.#closeLabel(at);
      case ":":
        return this.#readEmoji(at);
      default:
        return this.#readRun(at);
    }
  }

  /** A backslash goes away before a marker. The arm of ¯\_(ツ)_/¯ stays. @param {number} at */
  #readEscape(at) {
    const next = this.#text.charAt(at + 1);
    const marked = next === "\\" ? this.#text.charAt(at + 2) : next;
    const isEscape = isMarker(marked) ? this.#text[at - 1] !== "¯" : this.#escapesLine(at, next);
    return this.#addText(isEscape ? at + 1 : at, 1);
  }

  /** Whether a backslash keeps a line from being a quote or an item. @param {number} at @param {string} next */
  #escapesLine(at, next) {
    if (next !== ">" && next !== "-" && next !== "." && next !== ")") return false;
    const few = this.#text.slice(Math.max(0, at - 7), at);
    const before = few.slice(few.lastIndexOf("\n") + 1).trim();
    return next === ">" || next === "-" ? before === "" : /^\d{1,3}$/.test(before);
  }

  /** @param {number} at @param {number} length */
  #addText(at, length) {
    this.#frames.add(this.#text.slice(at, at + length));
    return at + length;
  }

  /** @param {number} at */
  #closeLabel(at) {
    const target =
      this.#text[at + 1] === "(" && this.#frames.depthOf("label", "[") > 0 ? targetAt(this.#text, at + 2) : null;
    if (!target || !this.#budget.takeElement()) {
      this.#frames.forget("label", "[");
      return this.#addText(at, 1);
    }
    const label = withoutLinks(this.#frames.close("label", "["));
    if (!isSeen(label)) {
      ["[", ...label, this.#text.slice(at, target.end)].forEach((node) => this.#frames.add(node));
      return target.end;
    }
    const host = otherHost(textOf(label), target.href);
    this.#frames.add({ kind: "link", href: target.href, host, children: label });
    return target.end;
  }

  /** @param {number} at */
  #readEmoji(at) {
    EMOJI.lastIndex = at;
    const mayBegin = at === this.#emojiEnd || !NO_NAME_AFTER.test(this.#text.charAt(at - 1));
    const name = mayBegin ? (EMOJI.exec(this.#text)?.[0] ?? "") : "";
    if (!NAMED.test(name) || !this.#budget.takeElement()) return this.#addText(at, 1);
    this.#frames.add({ kind: "emoji", name: name.slice(1, -1) });
    this.#emojiEnd = at + name.length;
    return this.#emojiEnd;
  }

  /** @param {number} at */
  #readRun(at) {
    const { kinds, length, opens, closes } = runAt(this.#text, at);
    const letter = this.#text.charAt(at);
    const markerOf = (/** @type {Kind} */ kind) => (kind === "em" ? letter : letter + letter);
    const depthOf = (/** @type {Kind} */ kind) => this.#frames.depthOf(kind, markerOf(kind));
    const open = closes ? kinds.filter((kind) => depthOf(kind) > 0) : [];
    open.sort((a, b) => depthOf(b) - depthOf(a));
    open.forEach((kind) => this.#close(kind, markerOf(kind)));
    const rest = open.reduce((left, kind) => left - markerOf(kind).length, length);
    if (open.length === 0 && opens) kinds.forEach((kind) => this.#frames.open(kind, markerOf(kind)));
    else this.#addText(at, rest);
    return at + length;
  }

  /** @param {Kind} kind @param {string} marker */
  #close(kind, marker) {
    if (!this.#budget.takeElement()) {
      this.#frames.forget(kind, marker);
      this.#frames.add(marker);
      return;
    }
    const children = this.#frames.close(kind, marker);
    if (kind === "spoiler") this.#frames.add({ kind, index: this.#budget.nextSpoiler(), children });
    else this.#frames.add({ kind, children });
  }
}

/** @param {string} letter one, or none */
function isMarker(letter) {
  return letter !== "" && "*_~|`[]:".includes(letter);
}
