import assert from "node:assert/strict";
import { test } from "node:test";
import { findLinks } from "../../../web/client/text/links.js";

/** Returns the links of a text: what is shown, or `what is shown -> where it leads` where that is something else. */
const links = (text) =>
  [...findLinks(text)].map(({ start, end, href }) => {
    const shown = text.slice(start, end);
    return shown === href ? shown : `${shown} -> ${href}`;
  });

/** @param {string} text @param {string[]} expected */
function expectLinks(text, ...expected) {
  assert.deepEqual(links(text), expected, text);
}

test("links are found without the punctuation around them", () => {
  expectLinks(
    "see https://a.example/x, (http://b.example/y) and https://c.example/w_(z).",
    "https://a.example/x",
    "http://b.example/y",
    "https://c.example/w_(z)",
  );
  expectLinks("(https://c.example/w_(z))", "https://c.example/w_(z)");
  expectLinks("[t](https://a.example/x)", "https://a.example/x");
  expectLinks("<https://a.example/x>", "https://a.example/x");
  expectLinks("https://[::1]:8080/x", "https://[::1]:8080/x");
});

test("only http and https make a link", () => {
  expectLinks("javascript:alert(1) data:text/html,x ftp://a.example https:// xhttps://a.example");
});

test("quotes, brackets and full stops of other scripts end a link", () => {
  for (const around of [
    "“…”",
    "‘…’",
    "«…»",
    "»…«",
    "„…“",
    "（…）",
    "「…」です",
    "【…】",
    "…。好",
    "…、b",
    "…，b",
    "…؟",
    "…\u200b",
    "…\u2028x",
  ]) {
    const [before, after] = around.split("…");
    expectLinks(`${before}https://a.example/x${after}`, "https://a.example/x");
  }
  expectLinks("https://a.example/x…", "https://a.example/x");
  expectLinks("https://a.example/\u202egnp.exe", "https://a.example/");
});

test("letters of other scripts belong to a link", () => {
  expectLinks("https://münchen.example/ä", "https://münchen.example/ä");
  expectLinks("https://ja.example/wiki/日本–語", "https://ja.example/wiki/日本–語");
});

test("an apostrophe within a path belongs to a link, and one around it does not", () => {
  expectLinks("https://a.example/Schrödinger's_cat", "https://a.example/Schrödinger's_cat");
  expectLinks("https://a.example/Schrödinger’s_cat", "https://a.example/Schrödinger’s_cat");
  expectLinks("'https://a.example/x','http://b.example'", "https://a.example/x", "http://b.example");
  expectLinks("https://a.example's page", "https://a.example");
});

test("an underscore at the end belongs to a link that none stands before", () => {
  expectLinks("https://a.example/foo_", "https://a.example/foo_");
  expectLinks("_https://a.example/foo_", "https://a.example/foo");
  expectLinks("*https://a.example/foo*", "https://a.example/foo");
});

test("an address that begins with www. is a link", () => {
  expectLinks("see www.a.example/x.", "www.a.example/x -> https://www.a.example/x");
  expectLinks("WWW.a.example", "WWW.a.example -> https://WWW.a.example");
  expectLinks("www. www.x awww.a.example a.www.a.example www..a");
});

test("a mail address is a link", () => {
  expectLinks("write to ann.lee+x@mail.a.example.", "ann.lee+x@mail.a.example -> mailto:ann.lee+x@mail.a.example");
  expectLinks("(bo@a.example)", "bo@a.example -> mailto:bo@a.example");
  expectLinks(
    "„bo@a.example“, ;cy@b.example",
    "bo@a.example -> mailto:bo@a.example",
    "cy@b.example -> mailto:cy@b.example",
  );
  expectLinks("@ann hi@ a@b a@b.c a@@b.example a@-b.example a@b..example a.example/@b.example x@1.2");
  expectLinks(`${"a".repeat(65)}@b.example`);
});

test("an at sign within a web address is no mail address", () => {
  expectLinks("https://a.example/@bo@b.example", "https://a.example/@bo@b.example");
});

test("a link ends at the markers of Markdown that no address has", () => {
  expectLinks("||https://a.example||", "https://a.example");
  expectLinks("[https://a.example/x](https://b.example)", "https://a.example/x", "https://b.example");
});
