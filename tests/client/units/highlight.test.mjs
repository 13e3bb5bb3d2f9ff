import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { readFileSync } from "node:fs";

/** FakeWorker records what the page asks of it; a test answers. */
class FakeWorker {
  static all = [];
  jobs = [];
  isEnded = false;

  constructor() {
    FakeWorker.all.push(this);
  }

  postMessage(job) {
    this.jobs.push(job);
  }

  terminate() {
    this.isEnded = true;
  }
}

globalThis.Worker = FakeWorker;
mock.timers.enable({ apis: ["setTimeout"] });
const { cut, tokensOf } = await import("../../../web/client/text/highlight.js");

test("code goes to one worker, a piece at a time, and no piece twice", () => {
  assert.equal(tokensOf("brainf", "+").value, null);
  assert.equal(FakeWorker.all.length, 0);
  const first = tokensOf("js", "let a");
  const second = tokensOf("python", "def b");
  assert.equal(tokensOf("javascript", "let a"), first);
  const [worker] = FakeWorker.all;
  assert.deepEqual(worker.jobs, [{ language: "js", code: "let a" }]);
  worker.onmessage({ data: [[3, "kwd"]] });
  assert.deepEqual(first.value, [
    { text: "let", kind: "kwd" },
    { text: " a", kind: "" },
  ]);
  assert.deepEqual(worker.jobs[1], { language: "py", code: "def b" });
  worker.onmessage({ data: [[5, ""]] });
  assert.deepEqual(second.value, [{ text: "def b", kind: "" }]);
  assert.equal(worker.jobs.length, 2);
});

test("a worker that takes too long is ended, and another goes on", () => {
  const slow = tokensOf("go", "slow");
  const next = tokensOf("go", "next");
  const ended = FakeWorker.all.at(-1);
  mock.timers.tick(10_000);
  assert.ok(ended.isEnded);
  assert.equal(slow.value, null);
  FakeWorker.all.at(-1).onmessage({ data: [[4, "var"]] });
  assert.deepEqual(next.value, [{ text: "next", kind: "var" }]);
  assert.notEqual(FakeWorker.all.at(-1), ended);
});

test("tokens together are the code, whatever the worker says", () => {
  const code = "let a = 1;\n".repeat(2000);
  const whole = (spans) =>
    cut(code, spans)
      ?.map(({ text }) => text)
      .join("");
  for (const spans of [
    [[3, "kwd"]],
    [[code.length + 9, "str"]],
    Array(9000).fill([1, "num"]),
    [
      [2, ""],
      [4, "str"],
    ],
  ])
    assert.equal(whole(spans), code);
  for (const spans of [[], [[-1, "kwd"]], [["3", 'x" onclick="']], [[NaN, ""]], [[1, "a b"]]])
    assert.equal(cut(code, spans), null);
});

test("the worker and its grammars have at most 20 kB", () => {
  const client = new URL("../../../web/client/", import.meta.url);
  const worker = readFileSync(new URL("text/highlight-worker.js", client), "utf8");
  const parts = [...worker.matchAll(/"\.\.\/(node_modules[^"]+)"/g)].map(([, path]) => path);
  assert.ok(parts.length > 15);
  const bytes = parts.reduce((sum, path) => sum + readFileSync(new URL(path, client)).length, worker.length);
  assert.ok(bytes <= 20_000, `${bytes} bytes`);
});
