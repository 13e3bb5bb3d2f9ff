import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { computed, signal } from "../../../web/client/node_modules/@preact/signals/dist/signals.mjs";
import { drafts } from "../../../web/client/drafts.js";
import { message } from "./fakes.mjs";

const kept = new Map();
globalThis.sessionStorage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => kept.set(key, value),
  removeItem: (key) => kept.delete(key),
};
globalThis.matchMedia = () => ({ matches: false });
const { editIn } = await import("../../../web/client/components/composer/edits.js");
const { restoreEdits } = await import("../../../web/client/components/composer/restore-edits.js");

let rooms = 0;

/** Shows a room after a reload during an edit. Its message, undefined at first, is read later. */
function reloaded({ mayEdit, text = "changed" }) {
  const slug = `room-${(rooms += 1)}`;
  kept.set(`chatter:edit:${slug}`, JSON.stringify({ id: "m7", seq: 7, text, ifChanged: 7 }));
  const read = signal(undefined);
  const room = { slug, hasLoaded: signal(false), quoteOf: () => read.value, mayEdit: () => mayEdit };
  restoreEdits(computed(() => room));
  return { room, slug, read };
}

beforeEach(() => kept.clear());

test("an edit goes on once its message was read, if the person may still edit it", () => {
  const { room, slug, read } = reloaded({ mayEdit: true });
  read.value = message(7);
  assert.equal(editIn(slug), undefined);
  room.hasLoaded.value = true;
  assert.deepEqual(editIn(slug), { id: "m7", seq: 7, text: "changed", ifChanged: 7 });
  assert.ok(kept.has(`chatter:edit:${slug}`)); // for the next reload
});

test("the words of an edit that the person may not make any more stand above the draft", () => {
  const { room, slug, read } = reloaded({ mayEdit: false });
  drafts.keep(slug, "half a thought");
  room.hasLoaded.value = true;
  assert.equal(drafts.of(slug), "half a thought");
  read.value = message(7);
  assert.equal(drafts.of(slug), "changed\nhalf a thought");
  assert.equal(editIn(slug), undefined);
  assert.ok(!kept.has(`chatter:edit:${slug}`));
});

test("the words of an edit whose message is gone become a draft", () => {
  const { room, slug, read } = reloaded({ mayEdit: true });
  room.hasLoaded.value = true;
  read.value = null;
  assert.equal(drafts.of(slug), "changed");
});

test("an edit that changes nothing leaves nothing", () => {
  const { room, slug, read } = reloaded({ mayEdit: false, text: "word 7" });
  room.hasLoaded.value = true;
  read.value = message(7);
  assert.equal(drafts.of(slug), "");
});
