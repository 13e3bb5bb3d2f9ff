import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

/** What a browser keeps between pages. */
class FakeStorage {
  getItem(key) {
    return this[key] ?? null;
  }
  setItem(key, value) {
    this[key] = String(value);
  }
  removeItem(key) {
    delete this[key];
  }
}

/** The names of the databases that were deleted. @type {string[]} */
let deleted = [];
/** @type {((event: object) => void)[]} */
let listeners = [];
let pages = 0;

beforeEach(() => {
  globalThis.localStorage = new FakeStorage();
  globalThis.sessionStorage = new FakeStorage();
  deleted = [];
  listeners = [];
  globalThis.addEventListener = (_, act) => listeners.push(act);
  globalThis.indexedDB = {
    deleteDatabase: (name) => {
      deleted.push(name);
      const request = {};
      queueMicrotask(() => request.onsuccess());
      return request;
    },
  };
});

/** Opens a page of the browser: each has the module's state anew. */
const open = () => import(`../../../web/client/browser/owner.js?page=${(pages += 1)}`);
const { takeAlong } = await import("../../../web/client/browser/take-along.js");
const ANN = { id: 7, handle: "ann", name: "Ann" };
const sortedKeys = (storage) => Object.keys(storage).sort();

test("a page is the guest's, and after a sign-in the account's", async () => {
  const page = await open();
  assert.deepEqual([page.owner, page.PREFIX, page.databaseName("posts")], [null, "chatter:", "chatter"]);
  assert.equal(page.storeAccount({ ...ANN, secret: "no" }), true);
  assert.equal(localStorage.getItem("chatter:account"), JSON.stringify(ANN));
  const next = await open();
  assert.deepEqual([next.owner, next.PREFIX, next.databaseName("posts")], [ANN, "chatter:@7:", "chatter:@7:posts"]);
});

test("what is no account makes a guest's page", async () => {
  for (const json of ["", "{", "null", "[]", '{"id":"7"}']) {
    localStorage.setItem("chatter:account", json);
    assert.equal((await open()).owner, null);
  }
});

test("all that is kept for an account goes, and nothing else", async () => {
  localStorage.setItem("chatter:account", JSON.stringify(ANN));
  for (const key of ["chatter:@7:draft:tea", "chatter:@77:draft:tea", "chatter:name"]) localStorage.setItem(key, "x");
  sessionStorage.setItem("chatter:@7:place:tea", "{}");
  const page = await open();
  assert.equal(page.mayKeep(), true);
  await page.dropAll(7);
  assert.equal(page.mayKeep(), false);
  assert.deepEqual(sortedKeys(localStorage), [
    "chatter:@77:draft:tea",
    "chatter:account",
    "chatter:ended",
    "chatter:name",
  ]);
  assert.deepEqual(sortedKeys(sessionStorage), []);
  assert.deepEqual(deleted, ["chatter:@7:posts", "chatter:@7:operations"]);
});

test("what another tab keeps after a sign-out goes at the next start, until the account signs in again", async () => {
  localStorage.setItem("chatter:account", JSON.stringify(ANN));
  const page = await open();
  await page.dropAll(7);
  page.removeAccount();
  localStorage.setItem("chatter:@7:seen", "late");
  (await open()).dropLeftovers();
  assert.equal(localStorage.getItem("chatter:@7:seen"), null);
  (await open()).storeAccount(ANN);
  localStorage.setItem("chatter:@7:seen", "kept");
  (await open()).dropLeftovers();
  assert.equal(localStorage.getItem("chatter:@7:seen"), "kept");
});

test("a page hears that another tab signs in or out", async () => {
  const heard = [];
  (await open()).followAccount((account) => heard.push(account));
  for (const act of listeners) {
    act({ key: "chatter:account", newValue: JSON.stringify(ANN) });
    act({ key: "chatter:account", newValue: null });
    act({ key: "chatter:draft:tea", newValue: "x" });
    act({ key: null, newValue: null }); // everything was cleared
  }
  assert.deepEqual(heard, [ANN, null, null]);
});

test("a guest who gets an account takes along what was seen and written", () => {
  const guest = {
    name: "bo",
    seen: "[1]",
    rooms: "{}",
    "draft:tea": "half",
    "reply:tea": "4",
    "thread-draft:tea/4": "x",
  };
  for (const [key, value] of Object.entries(guest)) localStorage.setItem(`chatter:${key}`, value);
  localStorage.setItem("chatter:@7:rooms", "own");
  sessionStorage.setItem("chatter:place:tea", "{}");
  takeAlong(ANN);
  assert.deepEqual(
    { ...localStorage },
    {
      "chatter:name": "bo",
      "chatter:seen": "[1]",
      "chatter:rooms": "{}",
      "chatter:@7:rooms": "own",
      "chatter:@7:seen": "[1]",
      "chatter:@7:draft:tea": "half",
      "chatter:@7:reply:tea": "4",
      "chatter:@7:thread-draft:tea/4": "x",
    },
  );
  assert.deepEqual(sortedKeys(sessionStorage), ["chatter:@7:place:tea", "chatter:place:tea"]);
});

test("a guest's name goes that is the account's from now on", () => {
  localStorage.setItem("chatter:name", "ann");
  takeAlong(ANN);
  assert.equal(localStorage.getItem("chatter:name"), null);
});

test("a browser that is full keeps for the guest what it cannot give the account", () => {
  localStorage.setItem("chatter:draft:tea", "half");
  localStorage.setItem = () => {
    throw new Error("QuotaExceededError");
  };
  takeAlong(ANN);
  assert.deepEqual(
    Object.keys(localStorage).filter((key) => key.startsWith("chatter:")),
    ["chatter:draft:tea"],
  );
});
