/** A room that is joined, lost, crashed and joined again ends with what the server has, whatever it asked meanwhile. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { changedOf } from "../../../web/client/room/fold.js";
import { Room } from "../../../web/client/room/room.js";
import { FakeOutbox, FakeSocket, settled } from "./fakes.mjs";
import { Log, randomFrom } from "./log.mjs";

const STORIES = 400;
/** The server's limits, small so that each story meets them. */
const GREETING = 3;
const MAX_PUSHED = 5;
const MAX_GAP = 14;
const PAGE = 3;

/** A server with one room and one client. It answers when the story says so. */
class Server {
  epoch = 1;
  /** The last committed entry of each epoch that has ended. */
  #ends = new Map();
  /** What the last page of changes showed: no later one shows less. */
  #readTo = 0;
  isJoined = false;

  constructor(random, log, socket) {
    Object.assign(this, { random, log, socket });
  }

  join() {
    const { since, epoch } = this.socket.latest.params();
    this.isJoined = true;
    this.socket.latest.joinPush.reply("ok", this.#answer(since, epoch));
    this.#push(since, epoch);
    this.socket.latest.receives("presence_state", {});
  }

  say() {
    this.log.said += 1;
    if (!this.isJoined) return;
    this.#send(this.log.frame(this.log.said));
  }

  lose() {
    const { said, committed } = this.log;
    if (said === committed) return;
    const seq = this.random.from(committed + 1, said);
    this.log.lose(seq);
    if (this.isJoined) this.socket.latest.receives("message_voided", { seq });
  }

  disconnect() {
    this.isJoined = false;
    this.socket.latest.pushes.length = 0;
    this.socket.latest.disconnects();
  }

  crash() {
    this.disconnect();
    const base = this.log.committed;
    this.#ends.set(this.epoch, base);
    this.epoch += 1;
    this.#readTo = 0;
    this.log.crash(base, this.random.from(1, 20));
  }

  /** Answers the request that has waited longest. */
  async answer() {
    const push = this.socket.latest.pushes.shift();
    if (!push) return false;
    if (push.event === "sync") await this.#sync(push);
    else if (push.event === "history") push.reply("ok", this.#page(push.payload));
    return true;
  }

  // ---- Internal

  async #sync(push) {
    const { since, epoch } = push.payload;
    push.reply("ok", this.#answer(since, epoch));
    await settled(); // each frame is heard by itself
    this.#push(since, epoch);
  }

  #start(since, epoch) {
    return Math.min(since, this.#ends.get(epoch) ?? since);
  }

  #answer(since, epoch) {
    const seq = this.log.said;
    const answer = { epoch: this.epoch, seq, base: seq, recovered: true, missed: 0, more: false };
    if (since === undefined) return answer;
    const missed = seq - this.#start(since, epoch);
    if (missed > MAX_GAP) return { ...answer, recovered: false };
    return { ...answer, base: this.#ends.get(epoch) ?? seq, missed, more: missed > MAX_PUSHED };
  }

  #push(since, epoch) {
    const { said } = this.log;
    const start = since === undefined ? -Infinity : this.#start(since, epoch);
    if (said - start > MAX_GAP) for (const row of this.log.messages(said).slice(-GREETING)) this.#send(row);
    else {
      for (const seq of this.log.voids) if (seq <= start) this.socket.latest.receives("message_voided", { seq });
      if (said - start <= MAX_PUSHED) for (let seq = start + 1; seq <= said; seq += 1) this.#send(this.#present(seq));
    }
  }

  /** Returns an entry as a client gets it that has missed it: a message in its present state. */
  #present(seq) {
    const { root_replies, ...frame } = this.log.frame(seq);
    return frame.kind || frame.void ? frame : this.log.message(seq, this.log.said);
  }

  #send(frame) {
    this.socket.latest.receives(frame.kind ? "room_event" : "new_message", frame);
  }

  /** Reads the room's memory; single messages and changes from the database too, which may be behind. */
  #page({ before, after, around, seqs, limit = PAGE }) {
    const isRecent = before !== undefined || around !== undefined || this.random.chance(0.5);
    const asOf = isRecent ? this.log.said : Math.max(this.log.committed, after === undefined ? 0 : this.#readTo);
    if (after !== undefined) this.#readTo = asOf;
    const all = this.log.messages(asOf);
    if (seqs) return { messages: all.filter(({ seq }) => seqs.includes(seq)), as_of: asOf, more: false };
    if (after !== undefined) return this.#changes(all, after, asOf);
    const end = around === undefined ? before : (all.find(({ seq }) => seq >= around)?.seq ?? asOf) + 2;
    const older = all.filter(({ seq }) => seq < end);
    const page = { messages: older.slice(-limit), as_of: asOf, more: older.length > limit };
    return around === undefined ? page : { ...page, more_after: all.length > older.length };
  }

  #changes(all, after, asOf) {
    const changed = all.filter((row) => changedOf(row) > after).sort((a, b) => changedOf(a) - changedOf(b));
    const last = changed[PAGE - 1];
    const messages = changed.filter((row, index) => index < PAGE || changedOf(row) === changedOf(last));
    const more = changed.length > messages.length;
    return { messages, as_of: asOf, more, ...(more && { next: changedOf(messages.at(-1)) }) };
  }
}

async function play(seed) {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const random = randomFrom(seed);
  const log = new Log(random);
  log.grow(40);
  log.said = log.committed = random.from(0, 15);
  const socket = new FakeSocket();
  const room = new Room(socket, "lobby", () => "ann", new FakeOutbox(), new FakeOutbox());
  const server = new Server(random, log, socket);
  room.join("ann");
  server.join();

  const step = async () => {
    const what = random.from(0, 19);
    if (what < 6 && log.said < log.length) server.say();
    else if (what < 8) log.committed = random.from(log.committed, log.said);
    else if (what < 14) await server.answer();
    else if (what < 15) room.loadOlder();
    else if (what < 16 && log.said) room.quoteOf(random.from(1, log.said));
    else if (what < 17 && log.said) room.showMessage(random.from(1, log.said));
    else if (what < 18 && random.chance(0.4)) server.lose();
    else if (what < 19 && random.chance(0.3)) room.detached.loadNewer();
    else if (random.chance(0.4)) reconnect();
    else mock.timers.tick(2000);
  };
  const reconnect = () => {
    if (random.chance(0.3)) server.crash();
    else server.disconnect();
    for (let away = random.from(0, 12); away && log.said < log.length; away -= 1) server.say();
    server.join();
  };
  for (let steps = 60; steps; steps -= 1) {
    await step();
    await settled();
  }
  log.committed = log.said;
  for (let idle = 0; idle < 3; idle = (await server.answer()) ? 0 : idle + 1) {
    await settled();
    mock.timers.tick(60_000);
    await settled();
  }
  if (room.history.last < log.said) {
    room.check(); // as a page does that polls: nothing has told of the lost rest
    for (let idle = 0; idle < 3; idle = (await server.answer()) ? 0 : idle + 1) await settled();
  }
  assertIsLog(room, log, `story ${seed}`);
}

function assertIsLog(room, log, words) {
  const { history, rows, detached } = room;
  const goneOf = (root) => log.heldBy(rows).filter((row) => row.root === root && row.deleted_at).length;
  const withoutGone = (row) => ({ ...row, replies: (row.replies ?? 0) - goneOf(row.seq) });
  assert.equal(history.last, log.said, words);
  assert.deepEqual(rows.stale, [], words);
  for (const run of [history, detached.run.value]) {
    if (!run) continue;
    const expected = log.messages(log.said).filter(({ seq }) => run.covers(seq));
    assert.deepEqual(run.messages.value.map(seen), expected.map(withoutGone).map(seen), words);
  }
  for (const row of log.heldBy(rows)) assert.deepEqual(seen(row), seen(log.message(row.seq, log.said)), words);
}

function seen(row) {
  const { seq, message, edits = 0, deleted_at, reactions = {}, pinned_at, replies = 0, last_reply_seq } = row ?? {};
  return [seq, message, edits, deleted_at, JSON.stringify(reactions), pinned_at, replies, last_reply_seq];
}

test(`in ${STORIES} stories a room ends with what the server has`, async () => {
  for (let seed = 1; seed <= STORIES; seed += 1) await play(seed);
});
