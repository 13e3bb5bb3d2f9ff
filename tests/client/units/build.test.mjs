import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const CLIENT = fileURLToPath(new URL("../../../web/client/", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "build-"));
const SOURCES = {
  "index.html": `<!doctype html>
<link rel="stylesheet" href="/client/style.css">
<link rel="stylesheet" href="/client/print.css">
<script type="importmap">{}</script>
<!-- a comment -->
<script type="module" src="/client/main.js"></script>
`,
  "style.css": "main { color: red }\n",
  "print.css": "@media print { main { color: black } }\n",
  "main.js": `import { one } from "./one.js";
export const worker = () => new Worker(new URL("./text/worker.js", import.meta.url), { type: "module" });
export const lazy = () => import("./lazy.js");
console.log(one);\n`,
  "one.js": "export const one = 'one';\n",
  "lazy.js": "import { one } from './one.js'; export const lazy = one + 'lazy';\n",
  "text/worker.js": "import { one } from '../one.js'; postMessage(one + 'worker'); import('./words.js');\n",
  "text/words.js": "export const words = 'the words';\n",
  "sw.js": "console.log(Reflect.get(self, 'BUNDLE'));\n",
};

/** Writes the sources, some of them otherwise, and returns the files of their bundle as text. */
function bundle(edits = {}) {
  for (const [name, text] of Object.entries({ ...SOURCES, ...edits })) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  execFileSync("node", [join(home, "build.mjs"), join(home, "bundle")]);
  const read = (folder) =>
    readdirSync(join(home, "bundle", folder), { withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
      .map(({ name }) => [name, readFileSync(join(home, "bundle", folder, name), "utf8")]);
  return { ...Object.fromEntries(read(".")), assets: Object.fromEntries(read("assets")) };
}

const named = (assets, start) => Object.keys(assets).find((name) => name.startsWith(start));

/** Returns the name of the script that the first one imports. Lazy parts import it, too. */
function sharedIn(assets) {
  const [, shared] = /^import[^"(]*"\.\/([^"]+)"/.exec(assets[named(assets, "main-")]) ?? [];
  return shared;
}

describe("the build of the bundle", () => {
  beforeEach(() => {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home);
    cpSync(join(CLIENT, "build.mjs"), join(home, "build.mjs"));
    symlinkSync(join(CLIENT, "node_modules"), join(home, "node_modules"));
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  test("the page has its styles in it, in order, and names the scripts of the bundle only", () => {
    const { "index.html": page, assets } = bundle();
    assert.match(page, /<style>main\{color:red\}@media print\{main\{color:#000\}\}<\/style>/);
    assert.ok(page.includes(`<script type="module" src="/assets/${named(assets, "main-")}"></script>`));
    assert.doesNotMatch(page, /\/client\/|importmap|<!--/);
  });

  test("what the first script imports at once is fetched with it, and what is lazy is not", () => {
    const { "index.html": page, assets } = bundle();
    const shared = sharedIn(assets);
    assert.ok(page.includes(`<link rel="modulepreload" href="/assets/${shared}">`));
    assert.ok(assets[shared].includes(`import("./${named(assets, "lazy-")}")`));
    assert.ok(!page.includes("lazy"));
  });

  test("what the first script and its lazy parts share is one script, however many share it", () => {
    const part = "import { one } from './one.js'; import { two } from './two.js'; export const lazy = one + two;\n";
    const { "index.html": page, assets } = bundle({
      "main.js": `${SOURCES["main.js"]}import "./two.js"; export const others = [() => import("./b.js"), () => import("./c.js")];`,
      "two.js": "export const two = 'two'; console.log(two);\n",
      "b.js": part,
      "c.js": "import { two } from './two.js'; export const c = two;\n",
    });
    assert.equal(page.match(/\/assets\/[^"]+/g).length, 2);
    assert.deepEqual(
      Object.keys(assets).filter((name) => name.startsWith("chunk-")),
      [sharedIn(assets)],
    );
  });

  test("a worker is a script of its own, with lazy parts, under the address that the page's script has", () => {
    const { assets } = bundle();
    const worker = named(assets, "worker-");
    assert.ok(assets[sharedIn(assets)].includes(`new URL("/assets/${worker}",location.origin)`));
    assert.ok(assets[worker].includes(`import("./${named(assets, "words-")}")`));
    assert.doesNotMatch(assets[worker], /^import[^(]/);
  });

  test("an edit renames what it changes, up to the page, and nothing else", () => {
    const before = bundle();
    const after = bundle({ "lazy.js": "import { one } from './one.js'; export const lazy = one + 'other';\n" });
    for (const start of ["lazy-", "main-"]) {
      assert.notEqual(named(after.assets, start), named(before.assets, start), start);
    }
    assert.equal(named(after.assets, "worker-"), named(before.assets, "worker-"));
    assert.notEqual(after["index.html"], before["index.html"]);
    assert.notEqual(after["sw.js"], before["sw.js"]);
    assert.deepEqual(bundle(), before);
  });

  test("every source is in the list by which a server knows what the bundle is made from", () => {
    const { sources } = JSON.parse(bundle()["bundle.json"]);
    assert.deepEqual(Object.keys(sources).sort(), Object.keys(SOURCES).sort());
  });

  test("the service worker knows the scripts that the page needs", () => {
    const { "sw.js": worker, "index.html": page } = bundle();
    const [, json] = /^self\.BUNDLE=(.*);$/m.exec(worker) ?? [];
    const { assets, version } = JSON.parse(json ?? "");
    assert.deepEqual(assets.sort(), page.match(/\/assets\/[^"]+/g).sort());
    assert.match(version, /^[0-9a-f]{12}$/);
  });

  test("a page that names no module is an error, and leaves the old bundle", () => {
    const before = bundle();
    assert.throws(() => bundle({ "index.html": "<!doctype html>" }));
    assert.ok(readdirSync(join(home, "bundle", "assets")).includes(named(before.assets, "main-")));
  });
});
