/** Text of strangers costs what its length does: eight times the text takes about eight times the steps, and not 64. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { hasVisible, normalName } from "../../../web/client/text/characters.js";
import { clean, cleanName, countCharacters } from "../../../web/client/text/cleaning.js";
import { isPlain, parse } from "../../../web/client/text/markdown.js";
import { initials, slugify, tint } from "../../../web/client/text/names.js";

const CLIENT = fileURLToPath(new URL("../../../web/client/", import.meta.url));
const LENGTH = 8 * 1024;
/** Steps for a character: the most that any of these texts takes is 20. */
const STEPS = 40;

const READERS = { clean, cleanName, countCharacters, hasVisible, initials, isPlain, normalName, parse, slugify, tint };

/** Texts of which each makes a careless reader go over the same characters again and again. */
const HOSTILE = {
  "closing brackets after a link": ["http://a.example/", ")"],
  "square brackets after a link": ["http://a.example/", "]"],
  "brackets in pairs": ["http://a.example/", "()])"],
  "opening brackets after a link": ["http://a.example/", "(["],
  "full stops after a link": ["http://a.example/", "."],
  "addresses that are none": ["", "http://%"],
  "addresses in one another": ["", "http://a'b"],
  "hosts that are none": ["", "www."],
  "hosts with underscores": ["", "_www._"],
  "words before addresses": ["", "xhttps://"],
  apostrophes: ["http://a.example/", "'"],
  "apostrophes in a path": ["http://a.example/", "'a"],
  "at signs": ["", "@"],
  "mail addresses in one another": ["", "a@"],
  "mail addresses with long domains": ["", `${"a".repeat(60)}@${"b.".repeat(126)}`],
  "full stops of a domain": ["a@b", ".a"],
  "a long mailbox": ["", "a"],
  backticks: ["", "`"],
  "backticks and lines": ["", "`a\n"],
  "open fences": ["```", "a``"],
  fences: ["", "```a\n"],
  "a fence and backticks": ["``` ", "`a"],
  "names of languages": ["```", "a-"],
  "a fence and many lines": ["```\n", "``\n"],
  "fences in a line": ["", "```a```"],
  "backticks in pairs": ["", "``a` "],
  "backticks in pairs and lines": ["", "``a\n"],
  stars: ["", "*"],
  "stars that open": ["", "*a "],
  "stars that open and close": ["", "*a* "],
  "stars of all lengths": ["", "*a **b ***c "],
  "markers in one another": ["", "*a _b ~~c ||d **e [f "],
  "markers that cross": ["", "*a ~~b* c~~ "],
  "closings of what is not open": ["", "a** "],
  underscores: ["", "_a_b"],
  "square brackets that open": ["", "["],
  "labels that are not closed": ["", "[a"],
  labels: ["", "[a]"],
  "labels with addresses that are not closed": ["", "[a](http://b"],
  "labels with addresses in one another": ["", "[a]("],
  "round brackets after a label": ["[a](http://", "("],
  "links with words": ["", "[a](http://b) "],
  "a label of many words": ["[", "a.bc "],
  "hosts in a label": ["[a](http://b)[", "a.b."],
  "links in labels": ["", "[http://a.example "],
  backslashes: ["", "\\"],
  "backslashes and stars": ["", "\\*a"],
  colons: ["", ":"],
  "emoji that are none": ["", ":a"],
  emoji: ["", ":a:"],
  quotes: ["", "> "],
  "quotes of many lines": ["", "> a\n"],
  "quotes of many depths": ["", "> > > > > > > > a\n"],
  "quotes and blank lines": ["", "> a\n\n"],
  items: ["", "- "],
  "items of many lines": ["", "- a\n"],
  "items and blank lines": ["- a", "\n \n"],
  "items in items": ["", "- a\n  - b\n    - c\n      - d\n"],
  "items of many depths": ["", "- - - - - - - - a\n"],
  "indented lines": ["- a\n", "                  \n  b\n"],
  "an indented line": ["- a\n", " "],
  numbers: ["", "1. a\n"],
  lines: ["", "\n"],
  "blank lines": ["a", " \n"],
  "carriage returns": ["", "\r"],
  dashes: ["a", "-"],
  "dashes and underscores": ["a", "_-"],
  marks: ["a", "\u0301"],
  "marks in no order": ["a", "\u0301\u0323"],
  "marks and what cannot be seen": ["a", "\u0301\u200b"],
  "zero-width joiners": ["👩", "\u200d"],
  "zero-width spaces": ["", "\u200b"],
  tags: ["", "\u{e0041}"],
  "half pairs": ["", "\udc00\ud800"],
  "blanks of many kinds": ["", " \u00a0\u3000"],
};

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
after(() => session.disconnect());

/** @param {string} start @param {string} repeated @param {number} length */
function textOf([start, repeated], length) {
  return (start + repeated.repeat(length / repeated.length)).slice(0, length);
}

/**
 * Counts what `act` does: how often each block of the client's code runs, as the engine itself counts it, and the
 * characters that regular expressions and the methods of strings go over.
 *
 * @param {() => void} act
 */
async function countSteps(act) {
  const counter = countCharactersOfBuiltIns();
  act();
  const characters = counter.end();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  const functions = result
    .filter(({ url }) => url.startsWith(`file://${CLIENT}`))
    .flatMap((script) => script.functions);
  return characters + functions.flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0);
}

/** The patterns that the readers use. @type {Set<string>} */
const used = new Set();

/** Counts one for each call of a built-in method, and the characters that it goes over. */
function countCharactersOfBuiltIns() {
  let steps = 0;
  const ends = [];
  const instrument = (prototype, name, cost) => {
    const original = prototype[name];
    prototype[name] = function (...given) {
      const from = this.lastIndex;
      const result = original.apply(this, given);
      steps += 1 + cost(this, given, result, from);
      return result;
    };
    ends.push(() => (prototype[name] = original));
  };
  // The other methods that take a pattern call this one, once for each match.
  instrument(RegExp.prototype, "exec", ({ global, sticky, source }, [text], match, from = 0) => {
    used.add(source);
    if (sticky && !match) return 0;
    const start = global || sticky ? from : 0;
    return (match ? match.index + match[0].length : text.length) - start;
  });
  instrument(
    String.prototype,
    "indexOf",
    (text, [, from = 0], at) => (at < 0 ? text.length : at) - Math.min(from, text.length),
  );
  instrument(String.prototype, "lastIndexOf", (text, [, from = text.length], at) => from - at);
  for (const name of ["trim", "trimEnd", "toLowerCase", "toUpperCase", "split"])
    instrument(String.prototype, name, (text) => text.length);
  // Marks in a row are sorted, each past those before it.
  instrument(String.prototype, "normalize", (text) =>
    runsOfMarks(text).reduce((sum, run) => sum + run * run, text.length),
  );
  return {
    end() {
      ends.forEach((end) => end());
      return steps;
    },
  };
}

/** Returns the lengths of the runs of those marks that stand in `HOSTILE`. @param {string} text */
function runsOfMarks(text) {
  const runs = [0];
  for (const letter of text) {
    if (letter >= "\u0300" && letter <= "\u036f") runs.push(runs.pop() + 1);
    else if (runs.at(-1)) runs.push(0);
  }
  return runs;
}

for (const [what, read] of Object.entries(READERS)) {
  test(`${what} takes each character a bounded number of times`, async () => {
    for (const [why, parts] of Object.entries(HOSTILE)) {
      const whole = await countSteps(() => read(textOf(parts, LENGTH)));
      assert.ok(whole <= STEPS * LENGTH, `${why}: ${whole} steps`);
      if (whole <= 2 * LENGTH) continue; // each count takes the engine 5 ms
      const part = await countSteps(() => read(textOf(parts, LENGTH / 8)));
      assert.ok(whole <= 12 * part + 1000, `${why}: ${part} steps for an eighth of it, ${whole} for all`);
    }
  });
}

// ---- Regular expressions

/** Finds the literals in a file. Comments and strings of this client hold nothing that looks like one. */
function literalsOf(code) {
  const withoutComments = code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  return [
    ...withoutComments.matchAll(
      /[=(,&!]\s*\/((?:\\.|\[(?:\\.|[^\]\\\n])+\]|[^/\\\n[* ])(?:\\.|\[(?:\\.|[^\]\\\n])+\]|[^/\\\n[])*)\/[gimsuy]*/g,
    ),
  ].map((match) => match[1]);
}

/** Whether a pattern ends after each repeat without a bound: then it never goes back over what it has matched. */
function isSinglePass(source) {
  const plain = source.replace(/\\(?:u\{\w+\}|u\w{4}|p\{\w+\}|.)/g, "c").replace(/\[[^\]]*\]/g, "c");
  return [...plain.matchAll(/[+*]/g)].every(({ index }) => {
    const rest = plain.slice(index + 1);
    return rest === "" || rest.startsWith("|") || (rest === "$" && plain.startsWith("^"));
  });
}

const FILES = readdirSync(CLIENT, { recursive: true }).filter(
  (name) => name.endsWith(".js") && !name.includes("node_modules"),
);

test("no regular expression of the page can go back over what it has matched", () => {
  const literals = FILES.flatMap((name) =>
    literalsOf(readFileSync(CLIENT + name, "utf8")).map((source) => ({ name, source })),
  );
  assert.ok(literals.length > 12, `found ${literals.length}`);
  assert.deepEqual(
    literals.filter(({ source }) => !isSinglePass(source)),
    [],
  );
  assert.ok(used.size > 12, `used ${used.size}`);
  assert.deepEqual(
    [...used].filter((source) => !isSinglePass(source)),
    [],
  );
});

test("the check of regular expressions finds those that can", () => {
  for (const source of ["^\\s*\\n", "a*b", "(a|b)+c", "x+-", "-+$", "[a-z]+\\.", "\\n?```(?:[\\w+-]*\\n)?"])
    assert.ok(!isSinglePass(source), source);
  for (const source of ["[a-z]+", "^[-_]+", "a|b+", "^[a-z]*$", "(?:a|b)+"]) assert.ok(isSinglePass(source), source);
});
