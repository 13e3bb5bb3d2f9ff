/** The most levels of blocks and emphasis in one another. What is deeper is plain text. */
export const MAX_DEPTH = 8;
/** The most nodes of one message, text between elements included. What comes after them is plain text. */
export const MAX_NODES = 2000;

/** Budget counts what one message has used of its bounds. */
export class Budget {
  #left = MAX_NODES;
  #spoilers = 0;

  /** Takes an element with a text in it and a text after it, if they are left. */
  takeElement() {
    if (this.#left < 6) return false; // three are for what is text then
    this.#left -= 3;
    return true;
  }

  /** Returns the number of the next spoiler: 0, 1, 2… */
  nextSpoiler() {
    return this.#spoilers++;
  }
}
