/** A room's log as a server has it, made at random, and its fold, written apart from the client's. */

/** Returns a source of random numbers that a seed repeats. @param {number} seed */
export function randomFrom(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    chance: (share) => next() < share,
    from: (least, most) => least + Math.floor(next() * (most - least + 1)),
    of: (list) => list[Math.floor(next() * list.length)],
  };
}

const AT = "2026-11-24T03:06:22.123456Z";

export class Log {
  /** The newest entry that was broadcast, and the newest that is in the database. */
  said = 0;
  committed = 0;
  #entries = [];
  #epoch = 1;
  /** The messages by where the log ends. */
  #folds = new Map();
  #random;

  constructor(random) {
    this.#random = random;
  }

  get length() {
    return this.#entries.length;
  }

  /** The places of entries that were lost. */
  get voids() {
    return this.#entries.filter((entry) => entry.void).map(({ seq }) => seq);
  }

  /** Appends entries of all kinds. */
  grow(count) {
    for (let left = count; left; left -= 1) this.#entries.push(this.#any(this.length + 1));
  }

  /** The entry at `seq` can never be saved: its place is void. Returns the entry. */
  lose(seq) {
    const lost = this.#entries[seq - 1];
    this.#put({ seq, void: true });
    return lost;
  }

  /** Does something with the log of a node that has not heard yet that an entry is lost. */
  beforeLoss(lost, act) {
    this.#put(lost);
    act();
    this.lose(lost.seq);
  }

  /** Loses what was not committed, and gives its places to other entries. */
  crash(base, count) {
    this.#entries.length = base;
    this.#folds.clear();
    this.#epoch += 1;
    this.said = this.committed = base;
    this.grow(count);
  }

  /** Returns what is pushed for an entry when it is said. */
  frame(seq) {
    const entry = this.#entries[seq - 1];
    if (entry.void) return { seq, void: true, id: "", name: "", message: "", inserted_at: AT };
    if (entry.kind !== "message") return { ...entry };
    return { ...messageOf(entry), ...(entry.root && { root_replies: this.message(entry.root, seq)?.replies }) };
  }

  /** Returns all messages as they were when the log ended at `asOf`. */
  messages(asOf) {
    return [...this.#fold(Math.min(asOf, this.length)).values()];
  }

  message(seq, asOf) {
    return this.#fold(Math.min(asOf, this.length)).get(seq);
  }

  /** Returns the messages that the client holds, in order. */
  heldBy(rows) {
    return this.#entries.flatMap(({ seq }) => rows.get(seq) ?? []);
  }

  // ---- Internal

  #put(entry) {
    this.#entries[entry.seq - 1] = entry;
    this.#folds.clear();
  }

  #fold(asOf) {
    if (!asOf) return new Map();
    if (this.#folds.has(asOf)) return this.#folds.get(asOf);
    const rows = new Map(this.#fold(asOf - 1));
    this.#folds.set(asOf, rows);
    const entry = this.#entries[asOf - 1];
    if (entry.void) return rows;
    const { kind, seq, root, target } = entry;
    if (kind === "message") rows.set(seq, messageOf(entry));
    if (kind === "purge") {
      for (const row of rows.values())
        if (touchesRow(entry, row)) rows.set(row.seq, purged({ ...row, changed: seq }, entry));
      return rows;
    }
    const touched = rows.get(kind === "message" ? root : target);
    if (touched && kind !== "unknown") rows.set(touched.seq, touch({ ...touched, changed: seq }, entry));
    return rows;
  }

  #any(seq) {
    const rows = this.messages(this.length).filter((row) => !row.deleted_at);
    if (!rows.length || this.#random.chance(0.4)) return this.#message(seq, rows);
    if (this.#random.chance(0.1)) return this.#purge(seq);
    const row = this.#random.of(rows);
    const kind = this.#random.of(["edit", "edit", "react", "react", "react", "pin", "unpin", "delete", "unknown"]);
    const entry = { seq, kind, target: row.seq, id: `e${seq}`, at: `${AT} ${seq}`, by: { name: "bo" } };
    if (kind === "edit") return { ...entry, message: `epoch ${this.#epoch} edit ${seq}`, edits: (row.edits ?? 0) + 1 };
    if (kind === "react") return { ...entry, ...this.#reaction(row) };
    return entry;
  }

  #message(seq, rows) {
    const answered = rows.length && this.#random.chance(0.4) ? this.#random.of(rows) : undefined;
    const reply = answered && { reply_to: answered.seq, root: answered.root ?? answered.seq };
    const said = {
      name: "bo",
      message: `epoch ${this.#epoch} word ${seq}`,
      author: { id: this.#random.from(1, 3), handle: "bo" },
    };
    return { seq, kind: "message", id: `m${seq}`, ...said, ...reply };
  }

  /** An account leaves: what it has said, and where its label "cy" is shown. */
  #purge(seq) {
    const account = this.#random.from(1, 3);
    const rows = this.messages(this.length);
    const targets = rangesOf(rows.filter(({ author }) => author.id === account && author.handle));
    const touched = rangesOf(
      rows.filter(({ reactions = {} }) => Object.values(reactions).some(({ names }) => names.includes("cy"))),
    );
    return {
      seq,
      kind: "purge",
      id: `e${seq}`,
      at: `${AT} ${seq}`,
      account,
      erase: this.#random.chance(0.5),
      targets,
      touched,
    };
  }

  #reaction(row) {
    const key = this.#random.of(["👍", "❤", "🎉"]);
    const name = this.#random.of(["ann", "bo", "cy"]);
    const names = row.reactions?.[key]?.names ?? [];
    const isIn = names.includes(name);
    const next = isIn ? names.filter((each) => each !== name) : [...names, name];
    return { key, add: isIn ? [] : [name], remove: isIn ? [name] : [], count: next.length, names: next };
  }
}

function messageOf({ kind, ...entry }) {
  return { ...entry, inserted_at: AT };
}

function rangesOf(rows) {
  return rows.map(({ seq }) => [seq, seq]);
}

function includes(ranges, { seq }) {
  return ranges.some(([first]) => first === seq);
}

function touchesRow({ targets, touched }, row) {
  return includes(targets, row) || includes(touched, row);
}

/** Changes a copy of a message by an entry that purges it. */
function purged(row, { account, erase, targets, touched, at }) {
  if (includes(targets, row)) Object.assign(row, { name: "deleted account", author: { id: account, handle: "" } });
  if (includes(targets, row) && erase) {
    const gone = { message: "", deleted_at: at, deleted_by: "deleted account" };
    return { ...without(row, "reactions", "pinned_at"), ...gone };
  }
  const shown = includes(touched, row) ? (row.reactions ?? {}) : {};
  const relabelled = Object.entries(shown).map(([key, { count, names }]) => [
    key,
    { count, names: names.map((name) => (name === "cy" ? "deleted account" : name)) },
  ]);
  return relabelled.length ? { ...row, reactions: Object.fromEntries(relabelled) } : row;
}

/** Changes a copy of a message by an entry that touches it. */
function touch(row, entry) {
  switch (entry.kind) {
    case "message":
      return { ...row, replies: (row.replies ?? 0) + 1, last_reply_seq: entry.seq };
    case "edit":
      return { ...row, message: entry.message, edits: entry.edits, edited_at: entry.at };
    case "react":
      return { ...row, reactions: reactionsWith(row.reactions, entry) };
    case "pin":
      return { ...row, pinned_at: entry.at };
    case "unpin":
      return without(row, "pinned_at");
    default:
      return { ...without(row, "reactions", "pinned_at"), message: "", deleted_at: entry.at, deleted_by: "bo" };
  }
}

function reactionsWith(reactions = {}, { key, count, names }) {
  return count ? { ...reactions, [key]: { count, names } } : without(reactions, key);
}

function without(fields, ...names) {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
