import { computed, signal } from "@preact/signals";
import { explain } from "../messages.js";

/** @typedef {import("../messages.js").Refused} Refused */
/** @typedef {import("./pages.js").Pages} Pages */
/** @typedef {import("./rows.js").Rows} Rows */

/** Thread is a message and the replies to it: the latest, and as many older ones as were asked for. */
export class Thread {
  isLoading = signal(false);
  /** There are earlier replies. */
  hasMore = signal(false);
  /** Why they could not be read; empty if all is well. */
  why = signal("");
  /** The first message, then the replies from the oldest that was read. */
  rows = computed(() => {
    this.#rows.version.value;
    const replies = [...this.#rows.repliesTo(this.root)].filter((seq) => seq >= this.#first.value);
    return this.#rows.allShown([this.root, ...replies.sort((a, b) => a - b)]);
  });
  /** The oldest reply that was read; none before the first page. */
  #first = signal(Infinity);
  #pages;
  #rows;
  #want;

  /**
   * @param {number} root the seq of the first message
   * @param {Pages} pages
   * @param {Rows} rows
   * @param {(seqs: number[]) => void} want has messages read
   */
  constructor(root, pages, rows, want) {
    this.root = root;
    this.#pages = pages;
    this.#rows = rows;
    this.#want = want;
  }

  /** @param {number} seq */
  has(seq) {
    return seq === this.root || this.#rows.get(seq)?.root === this.root;
  }

  /** Reads the latest replies, the first time or again. */
  load() {
    return this.#read({});
  }

  /** Reads earlier replies. */
  loadMore() {
    const first = this.#first.peek();
    return this.#read(Number.isFinite(first) ? { before: first } : {});
  }

  /** @param {{before?: number}} place */
  async #read(place) {
    if (this.isLoading.peek()) return;
    this.isLoading.value = true;
    try {
      const { messages, more } = await this.#pages.read({ root: this.root, ...place });
      const [oldest] = messages.filter(({ seq }) => seq !== this.root);
      this.#first.value = more ? (oldest?.seq ?? this.#first.peek()) : 0;
      this.hasMore.value = more;
      this.why.value = "";
      if (this.#rows.isWanted(this.root)) this.#want([this.root]);
    } catch (refusal) {
      this.why.value = explain(/** @type {Refused} */ (refusal));
    } finally {
      this.isLoading.value = false;
    }
  }
}
