import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** A browser's storage: some of its keys are full, and it may be forbidden. */
let [kept, isForbidden] = [{}, false];
const storage = {
  getItem: (key) => kept[key] ?? null,
  setItem: (key, value) => {
    if (key.startsWith("full")) throw new Error("quota");
    kept[key] = value;
  },
  removeItem: (key) => delete kept[key],
};
const listed = new Proxy(storage, {
  ownKeys: () => Object.keys(kept),
  getOwnPropertyDescriptor: (_, key) => describe(key),
});
const describe = (key) => ({ value: kept[key], enumerable: true, configurable: true });
Object.defineProperty(globalThis, "localStorage", {
  get: () => {
    if (isForbidden) throw new Error("forbidden");
    return listed;
  },
});
let pages = 0;
const open = async () => (await import(`../../../web/client/browser/web-storage.js?page=${(pages += 1)}`)).shared;

beforeEach(() => {
  [kept, isForbidden] = [{}, false];
});

test("a value outlives the page, and is gone once it is emptied", async () => {
  const page = await open();
  assert.equal(page.write("a", "1"), true);
  assert.deepEqual([page.read("a"), page.keysFrom("a")], ["1", ["a"]]);
  const next = await open();
  assert.equal(next.read("a"), "1");
  next.write("a", "");
  assert.deepEqual([next.read("a"), next.keysFrom("a"), kept], ["", [], {}]);
});

test("what the browser does not keep lives as long as the page", async () => {
  for (const forbidden of [false, true]) {
    isForbidden = forbidden;
    const page = await open();
    assert.equal(page.write("full", "1"), false);
    assert.deepEqual([page.read("full"), page.keysFrom("f")], ["1", ["full"]]);
    page.write("full", "");
    assert.deepEqual([page.read("full"), page.keysFrom("f")], ["", []]);
    page.hold("a", "1");
    assert.deepEqual([page.read("a"), kept, (await open()).read("a")], ["1", {}, ""]);
  }
});

test("what another tab has kept goes before what is held here", async () => {
  const page = await open();
  page.hold("a", "here");
  kept.a = "there";
  page.release("a");
  assert.equal(page.read("a"), "there");
});
