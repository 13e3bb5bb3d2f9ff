import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "../../../web/client/node_modules/@preact/signals/dist/signals.mjs";
import { Charter } from "../../../web/client/room/charter.js";

const SETTINGS = { post: "members", slow_mode: 0, read_only: false, join_notes: "folded" };
const VIEW = {
  kind: "private",
  title: "Plans",
  topic: "",
  settings: SETTINGS,
  archived: false,
  role: "member",
  members: 2,
};
const ANN = { id: 1, handle: "ann", name: "Ann" };
const BO = { id: 2, handle: "bo", name: "Bo" };

/** Joins a room that answers what the person may do there. */
async function joined({ view = VIEW, powers = ["read", "post"], seq = 3 } = {}) {
  const asked = [];
  const answers = {
    powers: { slug: "p", powers, ...view },
    members: {
      members: [
        { ...ANN, role: "owner" },
        { ...BO, role: "member" },
      ],
      more: false,
    },
  };
  const charter = new Charter(
    "p",
    () => BO,
    async (_method, path) => {
      asked.push(path);
      return path.includes("members") ? answers.members : answers.powers;
    },
  );
  charter.joined({ seq, room: view });
  await settled();
  return { charter, asked, answers };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const member = (seq, change, members, more = {}) => ({
  seq,
  kind: "member",
  id: `e${seq}`,
  at: "",
  by: ANN,
  change,
  members,
  ...more,
});
const room = (seq, set) => ({ seq, kind: "room", id: `e${seq}`, at: "", by: ANN, set });

test("a plain room has no charter, and everybody may write and pin", () => {
  const charter = new Charter(
    "lobby",
    () => undefined,
    () => assert.fail("asks"),
  );
  charter.joined({ seq: 0 });
  assert.equal(charter.view.value, null);
  assert.deepEqual(
    ["post", "pin", "invite", "remove"].map((power) => charter.may(power)),
    [true, true, false, false],
  );
});

test("who moderates the server deletes what others have said in a plain room", () => {
  const role = signal("guest");
  const asks = () => assert.fail("asks");
  const charter = new Charter("lobby", () => ANN, asks, role);
  charter.joined({ seq: 0 });
  const may = () => [charter.mayModerate({ author: BO }), charter.mayModerate({}), charter.may("remove")];
  for (const each of ["guest", "member"]) {
    role.value = each;
    assert.deepEqual(may(), [false, false, false]);
  }
  for (const each of ["moderator", "admin"]) {
    role.value = each;
    assert.deepEqual(may(), [true, true, false]);
  }
});

test("what the person may do is what the server says, and asked anew when it may have changed", async () => {
  const { charter, asked, answers } = await joined();
  assert.equal(charter.may("invite"), false);
  answers.powers = { ...answers.powers, role: "moderator", powers: ["read", "post", "invite", "remove"] };
  charter.hear(member(4, "role", [BO], { role: "moderator" }));
  await settled();
  assert.equal(charter.may("invite"), true);
  charter.hear(member(5, "muted", [ANN], { until: "2999" }));
  await settled();
  assert.equal(asked.length, 2); // what becomes of another changes nothing
});

test("an entry that the join's answer knows already changes nothing", async () => {
  const { charter } = await joined();
  charter.hear(room(3, { title: "Older" }));
  charter.hear(member(2, "joined", [BO]));
  assert.equal(charter.view.value.title, "Plans");
  assert.equal(charter.view.value.members, 2);
});

test("the log changes the view: title, topic, some of the settings, and that it is archived", async () => {
  const { charter } = await joined();
  charter.hear(room(4, { title: "Garden", settings: { slow_mode: 30 } }));
  charter.hear(room(5, { archived: true }));
  const { title, settings, archived } = charter.view.value;
  assert.deepEqual(
    { title, settings, archived },
    { title: "Garden", settings: { ...SETTINGS, slow_mode: 30 }, archived: true },
  );
});

test("members come, go, are muted and have other roles, as the log says", async () => {
  const { charter } = await joined();
  await charter.readMembers();
  charter.hear(member(4, "added", [{ id: 3, handle: "cy", name: "Cy" }]));
  charter.hear(member(5, "role", [{ id: 3, handle: "cy", name: "Cy" }], { role: "moderator" }));
  charter.hear(member(6, "muted", [BO], { until: "2999-01-01T00:00:00Z" }));
  charter.hear(member(7, "removed", [ANN]));
  const shown = [...charter.members.value.values()].map(({ handle, role, muted_until }) => [handle, role, muted_until]);
  assert.deepEqual(shown, [
    ["bo", "member", "2999-01-01T00:00:00Z"],
    ["cy", "moderator", undefined],
  ]);
  assert.equal(charter.view.value.members, 2);
  assert.equal(charter.view.value.muted_until, "2999-01-01T00:00:00Z");
  charter.hear(member(8, "unmuted", [BO]));
  assert.equal(charter.view.value.muted_until, undefined);
});

test("who is banned is no member, until somebody lifts that", async () => {
  const { charter } = await joined();
  await charter.readMembers();
  charter.hear(member(4, "banned", [ANN]));
  assert.deepEqual([charter.members.value.has(1), charter.banned.value.map(({ id }) => id)], [false, [1]]);
  charter.hear(member(5, "unbanned", [ANN]));
  assert.deepEqual(charter.banned.value, []);
});

test("slow mode makes members wait after a message, and moderators not", async () => {
  const view = { ...VIEW, settings: { ...SETTINGS, slow_mode: 30 } };
  const { charter } = await joined({ view });
  charter.said();
  assert.ok(charter.slowUntil.value > Date.now() + 20_000);
  const moderator = await joined({ view, powers: ["read", "post", "operate_others"] });
  moderator.charter.said();
  assert.equal(moderator.charter.slowUntil.value, 0);
});

test("a moderator may delete what members and guests have said, and not what an owner has", async () => {
  const { charter } = await joined({ powers: ["read", "post", "operate_others", "remove"] });
  await charter.readMembers();
  assert.equal(charter.mayModerate({}), true);
  assert.equal(charter.mayModerate({ author: { id: 2, handle: "bo" } }), true);
  assert.equal(charter.mayModerate({ author: { id: 1, handle: "ann" } }), false);
  const member = await joined();
  assert.equal(member.charter.mayModerate({}), false);
});
