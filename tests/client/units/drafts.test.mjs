import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "../../../web/client/node_modules/@preact/signals/dist/signals.mjs";

/** What a browser keeps between pages, and tells its other tabs. @type {Map<string, string>} */
const stored = new Map();
/** @type {((event: object) => void)[]} */
const listeners = [];
globalThis.localStorage = {
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => stored.set(key, value),
  removeItem: (key) => stored.delete(key),
};
globalThis.addEventListener = (_, act) => listeners.push(act);

/** Has another tab keep a value, or remove it. */
function keptElsewhere(key, newValue) {
  if (newValue) stored.set(key, newValue);
  else stored.delete(key);
  listeners.forEach((act) => act({ key, newValue }));
}

/** Opens another page of the browser. */
const open = (number) => import(`../../../web/client/drafts.js?page=${number}`);

test("a draft and the message that it answers survive a reload, each in its room", async () => {
  const page = await open(1);
  page.drafts.keep("tea", "half a thought");
  page.keepReplyTarget("tea", 7);
  const next = await open(2);
  assert.deepEqual([next.drafts.of("tea"), next.replyTargetOf("tea").value], ["half a thought", 7]);
  assert.deepEqual([next.drafts.of("gin"), next.replyTargetOf("gin").value], ["", 0]);
  next.keepReplyTarget("tea", 0);
  assert.equal((await open(3)).replyTargetOf("tea").value, 0);
});

test("the tabs of a browser agree on the message that a draft answers", async () => {
  const page = await open(4);
  page.followDrafts();
  const target = page.replyTargetOf("tea");
  keptElsewhere("chatter:reply:tea", "9");
  assert.equal(target.value, 9);
  keptElsewhere("chatter:reply:tea", null);
  assert.equal(target.value, 0);
});

test("words that are given back with a room are shown, also where another tab has taken them away", async () => {
  const { drafts, followDrafts } = await import("../../../web/client/drafts.js");
  const { keepLeft } = await import("../../../web/client/memberships/removed.js");
  const { cameBack } = await import("../../../web/client/memberships/removals.js");
  let shown = "";
  effect(() => void (shown = drafts.of("tea")));
  followDrafts();
  drafts.keep("tea", "half a thought");
  keepLeft("tea", { title: "Tea", text: "half a thought", why: "removed" });
  keptElsewhere("chatter:draft:tea", null);
  assert.equal(shown, "");
  cameBack("tea");
  assert.equal(shown, "half a thought");
});
