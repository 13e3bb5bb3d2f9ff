/** What a page holds is the fold of the room's log, whatever comes to it, in whatever order, and through a crash. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "../../../web/client/room/history.js";
import { changedOf, fold } from "../../../web/client/room/fold.js";
import { MAX_KEPT, Rows } from "../../../web/client/room/rows.js";
import { Log, randomFrom } from "./log.mjs";
import { message, plainRows } from "./fakes.mjs";

const CASES = 1000;

/** A page without a network: it hears a log and takes pages of it. */
class Listener {
  /** The last entry that each message has shown. */
  #newest = new Map();

  constructor(log, from) {
    this.log = log;
    this.rows = new Rows({
      show: (row) => row,
      changed: (seq) => this.history.update(seq),
      isShown: () => true,
      distrusted: () => {},
    });
    this.history = new History(this.rows);
    this.history.greet(from);
    this.history.greeted();
  }

  /** Takes some messages as the server had them when its log ended at `asOf`. */
  takePage(random, asOf) {
    const held = this.log.messages(asOf);
    this.rows.take(
      held.filter(() => random.chance(0.5)),
      asOf,
    );
  }

  /** Reads again what is stale. */
  readAgain(asOf) {
    const { stale } = this.rows;
    const found = this.log.messages(asOf).filter(({ seq }) => stale.includes(seq));
    this.rows.take(found, asOf);
    this.rows.notFound(
      stale.filter((seq) => !found.some((row) => row.seq === seq)),
      asOf,
    );
  }

  /** Reads what was changed since its position, page by page. */
  readChanged(random, asOf) {
    const pages = [];
    const { last } = this.history;
    const changed = this.log.messages(asOf).filter((row) => changedOf(row) > last);
    changed.sort((a, b) => changedOf(a) - changedOf(b));
    for (let from = 0, size; from < changed.length; from += size) {
      size = random.from(1, 4);
      pages.push(...changed.slice(from, from + size));
      this.rows.take(changed.slice(from, from + size), asOf);
      if (random.chance(0.3)) this.aside(random);
      if (random.chance(0.1)) return; // the connection is lost
    }
    this.history.skipTo(pages, asOf);
  }

  /** Joins again after a crash. */
  restart(base) {
    this.#newest.clear();
    this.history.dropAhead();
    this.rows.restart(base);
    this.history.dropAbove(base);
  }

  /** Hears an entry ahead of a gap. */
  aside(random) {
    const { last } = this.history;
    if (last + 1 < this.log.said) this.history.add(this.log.frame(random.from(last + 2, this.log.said)));
  }

  assertIsFold(words) {
    const stale = new Set(this.rows.stale);
    for (const row of this.log.heldBy(this.rows)) {
      if (stale.has(row.seq)) {
        this.#newest.delete(row.seq);
        continue;
      }
      assert.ok(changedOf(row) >= (this.#newest.get(row.seq) ?? 0), `${words}: ${row.seq} went back`);
      this.#newest.set(row.seq, changedOf(row));
      const asOf = Math.max(this.history.last, changedOf(row));
      assertSame(row, this.log.message(row.seq, asOf), words);
    }
    const shown = this.history.messages.value;
    const all = this.log.heldBy(this.rows);
    const held = all.filter(({ seq }) => this.history.covers(seq));
    const gone = all.filter(({ root, deleted_at }) => root && deleted_at);
    const isShown = (row, { seq, replies }) => {
      const count = replies ? gone.filter(({ root }) => root === seq).length : 0;
      return count ? row.replies === Math.max(0, replies - count) : row === this.rows.get(seq);
    };
    assert.ok(shown.length === held.length && held.every((row, index) => isShown(shown[index], row)), words);
  }
}

/** Compares what a person sees of a message. */
function assertSame(row, expected, words) {
  assert.equal(view(row), view(expected), words);
}

/** No row is changed once it is there. @type {WeakMap<object, string>} */
const views = new WeakMap();

function view(row) {
  if (!row || views.has(row)) return views.get(row);
  const {
    seq,
    name,
    author,
    message,
    edits = 0,
    deleted_at,
    reactions = {},
    pinned_at,
    replies = 0,
    last_reply_seq,
  } = row;
  const seen = [
    seq,
    name,
    author,
    message,
    edits,
    deleted_at,
    Object.entries(reactions),
    pinned_at,
    replies,
    last_reply_seq,
  ];
  views.set(row, JSON.stringify(seen));
  return views.get(row);
}

/** Plays one story: what the server says and commits, and what the page hears of it. */
function play(seed) {
  const random = randomFrom(seed);
  const log = new Log(random);
  log.grow(random.from(6, 30));
  log.said = log.committed = random.from(0, log.length - 1);
  const page = new Listener(log, log.said);
  const words = `case ${seed}`;

  const step = () => {
    const what = random.from(0, 11);
    const { last } = page.history;
    if (what < 3) log.said = Math.min(log.length, log.said + random.from(1, 3));
    else if (what < 4) log.committed = random.from(log.committed, log.said);
    else if (what < 7 && last < log.said) page.history.add(log.frame(last + 1));
    else if (what === 7 && last) page.history.add(log.frame(random.from(1, last)));
    else if (what === 8) page.aside(random);
    else if (what === 9) page.readAgain(random.chance(0.5) ? log.said : log.committed);
    else if (what === 10) page.takePage(random, random.chance(0.6) ? log.committed : log.said);
    else if (random.chance(0.2)) page.readChanged(random, random.chance(0.5) ? log.said : log.committed);
    if (random.chance(0.02)) loseEntry();
    page.assertIsFold(words);
  };
  /** The database refuses an entry that was said. */
  const loseEntry = () => {
    if (log.committed === log.said) return;
    const seq = random.from(log.committed + 1, log.said);
    const lost = log.lose(seq);
    page.history.markVoid(seq);
    page.assertIsFold(words);
    if (random.chance(0.5)) joinBehind(lost);
  };
  /** The page comes to a node that hears of a loss later than the one before. */
  const joinBehind = (lost) => {
    page.history.dropAhead();
    page.rows.rejoin();
    log.beforeLoss(lost, () => {
      // No later ones: this log counts replies anew, and that of a server keeps what they have said.
      for (let frames = random.from(0, 3); frames && page.history.last < lost.seq; frames -= 1)
        page.history.add(log.frame(page.history.last + 1));
      if (random.chance(0.5)) page.takePage(random, log.said);
      if (random.chance(0.5)) page.readAgain(log.said);
      if (random.chance(0.5) && page.history.last < lost.seq) page.history.add(log.frame(lost.seq));
    });
    page.history.markVoid(lost.seq);
  };
  const playOut = () => {
    while (log.said < log.length || page.history.last < log.said) step();
    log.committed = log.said;
  };

  playOut();
  for (let crashes = random.from(0, 2); crashes; crashes -= 1) {
    const base = (log.committed = random.from(Math.floor(log.said / 2), log.said));
    log.crash(base, random.from(1, 12));
    page.restart(base);
    page.assertIsFold(words);
    playOut();
  }
  while (page.rows.stale.length) page.readAgain(log.said);
  page.assertIsFold(words);
  for (const row of log.messages(log.said)) {
    const held = page.rows.get(row.seq);
    if (page.history.covers(row.seq)) assert.ok(held, `${words}: ${row.seq} is missing`);
    if (held) assertSame(held, row, words);
  }
}

test(`in ${CASES} stories each message is the fold of the entries that touch it`, () => {
  for (let seed = 1; seed <= CASES; seed += 1) play(seed);
});
