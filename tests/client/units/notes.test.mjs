import assert from "node:assert/strict";
import { test } from "node:test";
import { NoteReader } from "../../../web/client/room/note-reader.js";
import { Notes } from "../../../web/client/room/notes.js";

const note = (seq) => ({ seq, id: `e${seq}`, kind: "member", change: "joined", members: [], at: "", by: { name: "" } });
const seqs = (notes) => notes.list.value.map(({ seq }) => seq);

/** Hears the entries of some places, of which these are notes. */
function hear(notes, first, last, ...noted) {
  for (let seq = first; seq <= last; seq += 1) {
    notes.heard(seq);
    if (noted.includes(seq)) notes.hear(note(seq));
  }
}

/** A server that has a note in each tenth place, and answers with so many. */
class Server {
  asked = [];
  constructor(limit = 3, fails = () => false) {
    this.send = async (_event, { events, after, before }) => {
      assert.equal(events, true);
      this.asked.push([after, before]);
      if (fails()) throw { reason: "lost" };
      const found = Array.from({ length: before }, (_, seq) => seq).filter(
        (seq) => seq > after && seq && seq % 10 === 0,
      );
      const kept = found.slice(-limit);
      const more = kept.length < found.length;
      return { events: kept.map(note), more, ...(more && { next: kept[0] }) };
    };
  }
}

test("what was heard is not missing, and what is between is", () => {
  const notes = new Notes();
  assert.deepEqual(notes.missing(1, 9), { first: 1, last: 9 });
  assert.equal(notes.missing(10, 9), null);
  hear(notes, 5, 9, 7);
  assert.deepEqual(notes.missing(1, 9), { first: 1, last: 4 });
  hear(notes, 20, 25);
  assert.deepEqual(notes.missing(1, 25), { first: 10, last: 19 });
  assert.deepEqual(notes.missing(1, 30), { first: 26, last: 30 });
  assert.deepEqual(notes.missing(22, 24), null);
  notes.learn(10, 19, [note(12)]);
  assert.deepEqual(notes.missing(3, 25), { first: 3, last: 4 });
  notes.learn(1, 6, [note(2)]);
  assert.equal(notes.missing(1, 25), null);
  assert.deepEqual(seqs(notes), [2, 7, 12]);
});

test("what an earlier epoch has said above its base is read again", () => {
  const notes = new Notes();
  hear(notes, 1, 9, 3, 8);
  notes.restart(5);
  assert.deepEqual(seqs(notes), [3]);
  assert.deepEqual(notes.missing(1, 9), { first: 6, last: 9 });
});

test("of too many the older half goes and is missing then", () => {
  const notes = new Notes();
  for (let seq = 1; seq <= 2001; seq += 1) hear(notes, seq, seq, seq);
  assert.equal(notes.list.value.length, 1000);
  assert.equal(notes.list.value[0].seq, 1002);
  assert.deepEqual(notes.missing(1, 2001), { first: 1, last: 1001 });
});

test("pages are read from the end until nothing is missing", async () => {
  const [notes, server] = [new Notes(), new Server()];
  hear(notes, 95, 120, 100, 110, 120);
  const reader = new NoteReader(server, notes);
  await reader.read(() => ({ first: 21, last: 120 }));
  assert.deepEqual(seqs(notes), [30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
  assert.deepEqual(server.asked, [
    [20, 95],
    [20, 70],
    [20, 40],
  ]);
  await reader.read(() => ({ first: 1, last: 120 }));
  assert.deepEqual(server.asked.slice(3), [[0, 21]]);
  assert.deepEqual(seqs(notes).slice(0, 3), [10, 20, 30]);
});

test("a page that fails is asked for again by the next call, and two calls ask once", async () => {
  let isAway = true;
  const [notes, server] = [new Notes(), new Server(9, () => isAway)];
  const reader = new NoteReader(server, notes);
  await reader.read(() => ({ first: 1, last: 30 }));
  isAway = false;
  const range = () => ({ first: 1, last: 30 });
  await Promise.all([reader.read(range), reader.read(range)]);
  assert.equal(server.asked.length, 2);
  assert.deepEqual(seqs(notes), [10, 20, 30]);
});

test("an account that was erased is called by nothing in any note, and the others as before", () => {
  const ann = { id: 1, handle: "ann", name: "Ann" };
  const bo = { id: 2, handle: "bo", name: "Bo" };
  const notes = new Notes();
  notes.hear({ ...note(1), by: ann, members: [ann, bo] });
  notes.hear({ ...note(2), kind: "room", members: undefined, by: bo });
  notes.purge(2);
  const nobody = { id: 2, handle: "", name: "" };
  assert.deepEqual(
    notes.list.value.map(({ by, members }) => [by, members]),
    [
      [ann, [ann, nobody]],
      [nobody, undefined],
    ],
  );
});
