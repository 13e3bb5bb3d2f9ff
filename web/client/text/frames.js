/** @typedef {import("./markdown.js").Inline} Inline */
/** @typedef {import("./delimiters.js").Kind | "label"} FrameKind */
/** @typedef {{kind: FrameKind | "", marker: string, children: Inline[]}} Frame what stands since a marker */

/**
 * Frames is the stack of markers that are open, with what stands since each.
 *
 * Of each marker only the last is open: an earlier one is text then. So the stack has a handful of frames, and each node
 * moves down it a handful of times.
 */
export class Frames {
  /** @type {Frame[]} */
  #frames = [{ kind: "", marker: "", children: [] }];
  #most;

  /** @param {number} most frames that may be open */
  constructor(most) {
    this.#most = most;
  }

  /** @param {Inline} node */
  add(node) {
    append(/** @type {Frame} */ (this.#frames.at(-1)).children, node);
  }

  /** Returns how deep a marker was opened, 1 for the outermost; less if it is not open. */
  depthOf(/** @type {FrameKind} */ kind, /** @type {string} */ marker) {
    return this.#frames.findIndex((frame) => frame.kind === kind && frame.marker === marker);
  }

  /** Opens a marker, or adds it as text if too many are open. @param {FrameKind} kind @param {string} marker */
  open(kind, marker) {
    this.forget(kind, marker);
    if (this.#frames.length > this.#most) this.add(marker);
    else this.#frames.push({ kind, marker, children: [] });
  }

  /** Makes text of a marker that is open. @param {FrameKind} kind @param {string} marker */
  forget(kind, marker) {
    const index = this.depthOf(kind, marker);
    if (index > 0) this.#dissolve(index);
  }

  /**
   * Closes a marker and returns what stood since. Markers that were opened in between are text.
   *
   * @param {FrameKind} kind
   * @param {string} marker
   * @returns {Inline[]}
   */
  close(kind, marker) {
    let index = this.depthOf(kind, marker);
    const next = this.#frames[index + 1];
    const frame = /** @type {Frame} */ (this.#frames[index]);
    // `***a** b*`: the two that one run opened have no order yet.
    if (next?.kind === "em" && next.marker === "*" && kind === "strong" && !frame.children.length) {
      this.#frames.splice(index, 2, next, frame);
      frame.children = next.children;
      next.children = [];
      index += 1;
    }
    while (this.#frames.length > index + 1) this.#dissolve(this.#frames.length - 1);
    return /** @type {Frame} */ (this.#frames.pop()).children;
  }

  /** Makes text of all that is open, and returns the whole. @returns {Inline[]} */
  finish() {
    while (this.#frames.length > 1) this.#dissolve(this.#frames.length - 1);
    return /** @type {Frame} */ (this.#frames[0]).children;
  }

  /** @param {number} index */
  #dissolve(index) {
    const [{ marker, children }] = /** @type {[Frame]} */ (this.#frames.splice(index, 1));
    const below = /** @type {Frame} */ (this.#frames[index - 1]).children;
    append(below, marker);
    for (const child of children) append(below, child);
  }
}

/** Adds a node, and text to the text before it. @param {Inline[]} children @param {Inline} node */
function append(children, node) {
  const last = children.at(-1);
  if (typeof node === "string" && typeof last === "string") children[children.length - 1] = last + node;
  else if (node !== "") children.push(node);
}
