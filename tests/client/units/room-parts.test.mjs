import assert from "node:assert/strict";
import { test } from "node:test";
import { foldNotes } from "../../../web/client/components/conversation/room-notes.js";
import { offersFor } from "../../../web/client/components/people/member-rights.js";
import { findMembers, orderMembers, sectionsOf } from "../../../web/client/components/people/members.js";
import { changesOf, RULES } from "../../../web/client/room/rules.js";
import { Notes } from "../../../web/client/room/notes.js";
import { begunHandle } from "../../../web/client/text/begun-handles.js";
import { parse } from "../../../web/client/text/markdown.js";

const ann = { id: 1, handle: "ann", name: "Ann" };
const bo = { id: 2, handle: "bo", name: "Bo" };

// ---- What is offered

const ALL = ["set_role", "mute", "remove", "ban"];
const offered = (person, { powers = ALL, rank = 3, isMe = false, isLastOwner = false } = {}) =>
  offersFor(person, { may: (power) => powers.includes(power), rank, isMe, isLastOwner }, 0).map(({ words }) => words);
const MUTES = ["Mute for 10 minutes", "Mute for 1 hour", "Mute for 1 day"];

test("an owner may do everything to those who are weaker, and nothing to another owner", () => {
  assert.deepEqual(offered({ ...bo, role: "member" }), [
    "Make an owner",
    "Make a moderator",
    ...MUTES,
    "Remove…",
    "Ban…",
  ]);
  assert.deepEqual(offered({ ...bo, role: "owner" }), []);
});

test("a moderator gives no roles, and touches no other moderator", () => {
  const moderator = { powers: ["mute", "remove", "ban"], rank: 2 };
  assert.deepEqual(offered({ ...bo, role: "member" }, moderator), [...MUTES, "Remove…", "Ban…"]);
  assert.deepEqual(offered({ ...bo, role: "moderator" }, moderator), []);
});

test("members are offered nothing, and the last owner cannot step down", () => {
  assert.deepEqual(offered({ ...bo, role: "member" }, { powers: [], rank: 1 }), []);
  assert.deepEqual(offered({ ...ann, role: "owner" }, { isMe: true, isLastOwner: true }), []);
  assert.deepEqual(offered({ ...ann, role: "owner" }, { isMe: true }), ["Make a moderator", "Make a member"]);
});

test("somebody who is muted can be let write again, and a visitor can only be banned", () => {
  assert.ok(offered({ ...bo, role: "member", muted_until: "2999-01-01T00:00:00Z" }).includes("Let write again"));
  assert.deepEqual(offered(bo), ["Ban…"]);
});

// ---- Who is there

test("members are in the order of their roles, present ones first, and visitors last", () => {
  const members = new Map([
    [2, { ...bo, role: "member" }],
    [3, { id: 3, handle: "cy", name: "Cy", role: "member" }],
    [1, { ...ann, role: "owner" }],
  ]);
  const present = [
    { name: "Cy", author: { id: 3, handle: "cy" }, connections: 1 },
    { name: "Dora", connections: 1 },
  ];
  const shown = orderMembers(members, present);
  const sections = sectionsOf(shown).map(({ title, people }) => [title, people.map(({ person }) => person.name)]);
  assert.deepEqual(sections, [
    ["Owners", ["Ann"]],
    ["Members", ["Cy", "Bo"]],
    ["Also here", ["Dora"]],
  ]);
  assert.deepEqual(
    findMembers(shown, "@b").map(({ person }) => person.name),
    ["Bo"],
  );
});

// ---- Settings

const VIEW = { title: "Plans", topic: "", settings: { post: "members", slow_mode: 0, read_only: false } };
const rules = RULES.filter(({ name }) => name in VIEW.settings);

test("only what was changed is sent", () => {
  const typed = { title: "Plans ", topic: "", post: "members", slow_mode: "0" };
  assert.equal(changesOf(VIEW, typed, rules), null);
  assert.deepEqual(changesOf(VIEW, { ...typed, topic: "what we do" }, rules), { topic: "what we do" });
  assert.deepEqual(changesOf(VIEW, { ...typed, slow_mode: "30", read_only: "on" }, rules), {
    settings: { slow_mode: 30, read_only: true },
  });
  assert.deepEqual(changesOf(VIEW, { topic: "by a moderator" }, []), { topic: "by a moderator" });
});

// ---- Notes

const note = (seq, change, members, by = ann) => ({ seq, kind: "member", id: `n${seq}`, at: "", change, members, by });

test("those who come one after the other are one line; what somebody does to others is one for each of them", () => {
  const lines = foldNotes([
    note(1, "joined", [ann]),
    note(2, "joined", [bo], bo),
    note(3, "left", [bo], bo),
    note(4, "removed", [bo]),
    note(5, "removed", [bo]),
    note(6, "added", [bo]),
    note(7, "added", [bo], bo),
  ]);
  assert.deepEqual(
    lines.map((line) => line.map(({ seq }) => seq)),
    [[1, 2], [3], [4], [5], [6], [7]],
  );
});

test("who founds a room and is in it is one line", () => {
  const founded = { seq: 1, kind: "room", id: "n1", at: "", set: { kind: "private", title: "Plans" }, by: ann };
  const lines = foldNotes([founded, note(2, "joined", [ann]), note(3, "added", [bo]), note(4, "joined", [bo], bo)]);
  assert.deepEqual(
    lines.map((line) => line.map(({ seq }) => seq)),
    [[1, 2], [3], [4]],
  );
});

test("a note that was never saved goes, and so does what an earlier epoch has said above its base", () => {
  const notes = new Notes();
  [1, 2, 3, 4].forEach((seq) => notes.hear(note(seq, "joined", [bo])));
  assert.equal(notes.drop(2), true);
  assert.equal(notes.drop(2), false);
  notes.restart(3);
  assert.deepEqual(
    notes.list.value.map(({ seq }) => seq),
    [1, 3],
  );
});

// ---- Mentions

const mentioned = (text) =>
  parse(text).flatMap(({ children = [] }) =>
    children.flatMap((node) => (node.kind === "mention" ? [node.handle] : [])),
  );

test("handles are mentions where the server finds them: not in code, addresses, words and paths", () => {
  assert.deepEqual(mentioned("@ann, (@Bo) and @cy.d-e_f."), ["ann", "bo", "cy.d-e_f"]);
  assert.deepEqual(mentioned("`@ann` x@ann ann@example.org https://example.org/@ann /@ann @@ann @ann@b"), []);
  assert.deepEqual(mentioned(`@${"a".repeat(33)}`), []);
});

test("a mention keeps its letters and its place among markers", () => {
  const [{ children }] = parse("**@Ann_B** said :smile:");
  assert.deepEqual(children[0], { kind: "strong", children: [{ kind: "mention", handle: "ann_b", text: "@Ann_B" }] });
});

test("a handle that is begun is found at the caret, and not in code", () => {
  assert.equal(begunHandle("hello @an"), "@an");
  assert.equal(begunHandle("hello @"), "@");
  assert.equal(begunHandle("mail an@an"), "");
  assert.equal(begunHandle("`@an"), "");
});
