import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { computed } from "../../../web/client/node_modules/@preact/signals/dist/signals.mjs";
import { FakeSocket, settled } from "./fakes.mjs";

const ANN = { id: 7, handle: "ann", name: "Ann" };
globalThis.localStorage = { getItem: (key) => (key === "chatter:account" ? JSON.stringify(ANN) : null), setItem() {} };
const { badgeOf, levelOf, MUTES } = await import("../../../web/client/memberships/levels.js");
const { drop, knownPeople, membershipOf, memberships, put, unreadOf } =
  await import("../../../web/client/memberships/memberships.js");
const { myTopic } = await import("../../../web/client/memberships/my-topic.js");
const { markAllRead, markRead, markUnread, watchReports } =
  await import("../../../web/client/memberships/read-marks.js");
const { kindOf, labelOfRoom, titleOf } = await import("../../../web/client/memberships/titles.js");
const { isPrivateSlug } = await import("../../../web/client/messages.js");
const { minute } = await import("../../../web/client/time.js");

const DIRECT = `d--${"a".repeat(26)}`;
const PRIVATE = `p--${"b".repeat(26)}`;

/** @param {string} slug */
const room = (slug, changes = {}) => ({
  ...{ slug, kind: kindOf(slug), title: "", topic: "", role: "member", level: "everything", level_until: null },
  ...{ hidden: false, archived: false, last_seq: 9, last_nth: 9, read_seq: 9, read_nth: 9, rev: 0, mentions: 0 },
  ...{ last: null, people: 2, ...changes },
});

let socket;
let channel;

watchReports();
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  [...memberships.peek().keys()].forEach(drop);
  socket = new FakeSocket();
  myTopic.join(socket);
  channel = socket.latest;
});

const joins = (...rooms) => channel.joinPush.reply("ok", { rooms, server: {} });
const mark = (slug) => [membershipOf(slug).read_seq, unreadOf(membershipOf(slug))];
const read = (slug, seq, changes = {}) => ({ slug, seq, nth: seq, rev: 0, unread: 0, mentions: 0, ...changes });

test("the answer to a join is the whole list: what is not in it any more is told as removed", async () => {
  joins(room("tea"), room(PRIVATE, { title: "Den" }));
  await settled();
  const told = [];
  myTopic.listen((event, { slug, room }) => told.push([event, slug, room?.title]));
  joins(room("tea"));
  await settled();
  assert.deepEqual(told, [["room_removed", PRIVATE, "Den"]]);
  assert.deepEqual([...memberships.value.keys()], ["tea"]);
});

test("a list that is too long for one answer is read page by page", async () => {
  channel.joinPush.reply("ok", { rooms: [room("a")], more: true });
  await settled();
  const [asked] = channel.sent("rooms");
  assert.deepEqual(asked.payload, { after: "a" });
  asked.reply("ok", { rooms: [room("b")] });
  await settled();
  assert.deepEqual([...memberships.value.keys()], ["a", "b"]);
});

test("pushes change the list, and one of a room that is unknown changes nothing", async () => {
  joins(room("tea"));
  await settled();
  channel.receives("activity", { slug: "tea", last_seq: 12, last_nth: 11, last: null, mentions: 1 });
  channel.receives("activity", { slug: "who", last_seq: 12, last_nth: 11, last: null });
  channel.receives("room_changed", { slug: "tea", set: { title: "Tea" } });
  channel.receives("level", { slug: "tea", level: "nothing", until: null, hidden: true });
  channel.receives("room_added", { room: room("pie") });
  const { mentions, title, level, hidden } = membershipOf("tea");
  assert.deepEqual([mark("tea"), mentions, title, level, hidden], [[9, 2], 1, "Tea", "nothing", true]);
  assert.deepEqual([...memberships.value.keys()], ["tea", "pie"]);
});

test("a mark moves forward at once, is said once more after a lost connection, and never back", async () => {
  joins(room("tea", { last_seq: 12, last_nth: 12 }));
  await settled();
  markRead("tea", 12);
  assert.deepEqual(mark("tea"), [12, 0]);
  assert.deepEqual(channel.sent("mark_read")[0].payload, { slug: "tea", seq: 12, rev: 0 });
  channel.receives("read", read("tea", 10, { unread: 2 }));
  assert.deepEqual(mark("tea"), [12, 0]);
  channel.disconnects();
  await settled();
  joins(room("tea", { last_seq: 12, last_nth: 12 }));
  await settled();
  assert.deepEqual(mark("tea"), [12, 0]);
  assert.equal(channel.sent("mark_read").length, 2);
  channel.sent("mark_read")[1].reply("ok", read("tea", 12));
  await settled();
  joins(room("tea", { last_seq: 12, last_nth: 12, read_seq: 12, read_nth: 12 }));
  await settled();
  assert.equal(channel.sent("mark_read").length, 2);
});

test("reports of a room go one after the other, and the last one says it all", async () => {
  joins(room("tea", { last_seq: 12, last_nth: 12 }));
  await settled();
  [10, 11, 12].forEach((seq) => markRead("tea", seq));
  assert.equal(channel.sent("mark_read").length, 1);
  channel.sent("mark_read")[0].reply("ok", read("tea", 10));
  await settled();
  assert.deepEqual(channel.sent("mark_read")[1].payload.seq, 12);
  channel.sent("mark_read")[1].reply("ok", read("tea", 12));
  await settled();
});

test("a report that is refused for a while is said again then, and one that is refused for good is not", async () => {
  joins(room("tea", { last_seq: 12, last_nth: 12 }));
  await settled();
  markRead("tea", 12);
  channel.sent("mark_read")[0].reply("error", { reason: "rate_limited", retry_after_ms: 500 });
  await settled();
  mock.timers.tick(2000);
  await settled();
  assert.equal(channel.sent("mark_read").length, 2);
  channel.sent("mark_read")[1].reply("error", { reason: "not_found" });
  await settled();
  mock.timers.tick(60_000);
  await settled();
  assert.equal(channel.sent("mark_read").length, 2);
});

test("a mark that was set back stays there, whatever was on its way", async () => {
  joins(room("tea", { last_seq: 12, last_nth: 12 }));
  await settled();
  markRead("tea", 12);
  const [report] = channel.sent("mark_read");
  channel.receives("read", read("tea", 4, { rev: 1 }));
  assert.deepEqual(mark("tea"), [4, 8]);
  report.reply("ok", read("tea", 4, { rev: 1 }));
  await settled();
  assert.deepEqual(mark("tea"), [4, 8]);
  const unread = markUnread("tea", 3);
  channel.sent("mark_unread")[0].reply("ok", read("tea", 2, { rev: 2 }));
  assert.equal(await unread, "");
  assert.deepEqual(mark("tea"), [2, 10]);
});

test("everything is read at once, and a refusal is said", async () => {
  joins(room("tea", { last_seq: 12, last_nth: 12 }), room("pie", { last_seq: 10, last_nth: 10 }));
  await settled();
  const done = markAllRead();
  channel.sent("mark_all_read")[0].reply("ok", { rooms: 2 });
  assert.equal(await done, "");
  assert.deepEqual(
    [mark("tea"), mark("pie")],
    [
      [12, 0],
      [10, 0],
    ],
  );
  const refused = markAllRead();
  channel.sent("mark_all_read")[1].reply("error", { reason: "busy" });
  assert.equal(await refused, "the server is busy");
});

test("a level holds until its end, and then the usual one of such rooms", () => {
  const until = "2026-11-24T10:00:00Z";
  const muted = { level: "nothing", level_until: until };
  const [before, after] = [Date.parse(until) - 1, Date.parse(until)];
  assert.equal(levelOf(room("tea", muted), before), "nothing");
  assert.equal(levelOf(room("tea", muted), after), "mentions");
  assert.equal(levelOf(room(DIRECT, muted), after), "everything");
});

test("the end of a level is seen on the page also where nothing else happens", () => {
  const until = new Date(Date.now() + 3_600_000).toISOString();
  const level = computed(() => levelOf(room(DIRECT, { level: "nothing", level_until: until })));
  assert.equal(level.value, "nothing");
  mock.timers.tick(3_660_000);
  minute.value = Date.now();
  assert.equal(level.value, "everything");
});

test("a row shows a number, a dot, or nothing, as the level says", () => {
  const news = { last_nth: 12, mentions: 1 };
  assert.deepEqual(badgeOf(room("tea", news)), { unread: 3, mentions: 1, isCounted: true });
  assert.equal(badgeOf(room("tea", { ...news, level: "mentions" })).isCounted, false);
  assert.deepEqual(badgeOf(room("tea", { ...news, level: "nothing" })), { unread: 0, mentions: 0, isCounted: false });
});

test("tomorrow begins in the morning, also where it is another month", () => {
  const [, tomorrow] = MUTES.at(-1);
  const morning = tomorrow(new Date(2026, 10, 30, 23, 59));
  assert.deepEqual([morning.getMonth(), morning.getDate(), morning.getHours()], [11, 1, 8]);
});

test("a room is called by its title, by who else is in it, or by its slug", () => {
  const person = (id, name) => ({ id, handle: name.toLowerCase(), name });
  const others = ["Bo", "Cy", "Di", "Ed", "Flo", "Gus"].map((name, at) => person(at + 8, name));
  put(room(DIRECT, { with: [ANN, others[0]] }));
  assert.deepEqual([titleOf(DIRECT), labelOfRoom(DIRECT)], ["Bo", "Bo"]);
  put(room(DIRECT, { with: [ANN] }));
  assert.equal(titleOf(DIRECT), "Notes to yourself");
  const deleted = { id: 8, handle: "", name: "" };
  put(room(DIRECT, { with: [ANN, deleted] }));
  assert.deepEqual([titleOf(DIRECT), knownPeople()], ["Deleted account", [ANN]]);
  put(room(DIRECT, { kind: "group", with: [ANN, ...others] }));
  assert.equal(titleOf(DIRECT), "Bo, Cy, Di, Ed, 2 more");
  put(room("tea", { title: "Tea time" }));
  assert.deepEqual([titleOf("tea"), labelOfRoom("tea")], ["Tea time", "Tea time"]);
  assert.deepEqual([titleOf("pie"), labelOfRoom("pie")], ["pie", "#pie"]);
  assert.equal(titleOf(PRIVATE), "Private room");
});

test("only slugs of that shape are private", () => {
  assert.deepEqual([DIRECT, PRIVATE].map(isPrivateSlug), [true, true]);
  assert.deepEqual(["lobby", "p--short", `x--${"a".repeat(26)}`, `p--${"1".repeat(26)}`].map(isPrivateSlug), [
    ...[false, false, false, false],
  ]);
});
