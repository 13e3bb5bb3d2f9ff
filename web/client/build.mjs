/**
 * Makes the bundle of the client: what browsers get, in few files, small, under names that change with their content.
 *
 * `node build.mjs FOLDER` writes into FOLDER:
 *   index.html     the page: its styles are in it, and it names the scripts of the bundle
 *   sw.js          the service worker, which knows the names of all files
 *   assets/        scripts and their lazy parts and workers
 *   bundle.json    the SHA-256 of every source, by which the server knows whether the bundle is made from them
 * and beside each file what gzip and brotli make of it.
 */

import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const ASSETS = "/assets/";
/** The only way in which a module names a worker: browsers without a bundle read it too. */
const WORKER = /new URL\(\s*"(\.{1,2}\/[^"]+\.js)"\s*,\s*import\.meta\.url\s*,?\s*\)/g;

const CLIENT = fileURLToPath(new URL(".", import.meta.url));
const SHARED = {
  absWorkingDir: CLIENT,
  bundle: true,
  format: /** @type {const} */ ("esm"),
  metafile: true,
  minify: true,
  target: "es2022",
  write: false,
};

/** The files under `assets/`, by name, and the sources that anything was made from. */
const assets = new Map();
const sources = new Set(["index.html"]);
/** The address of each worker, by path, while or after it is built. @type {Map<string, Promise<string>>} */
const workers = new Map();

/**
 * Bundles a module with all that it imports; lazy parts become files of their own.
 *
 * Each lazy part of a page imports the entry, which is there already: otherwise esbuild would cut what the entry and some
 * parts share into a file for each set of them, and the first visit would fetch all of these.
 *
 * @param {string} entry
 * @param {boolean} [isPage]
 */
async function bundle(entry, isPage = false) {
  const result = await build({
    ...SHARED,
    entryPoints: [entry],
    outdir: "assets",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    splitting: true,
    plugins: [
      { name: "parts and workers", setup: (esbuild) => followParts(esbuild, isPage ? resolve(CLIENT, entry) : "") },
    ],
  });
  note(result.metafile);
  for (const { path, contents } of result.outputFiles) assets.set(basename(path), contents);
  // Lazy parts are entry points too.
  const isOf = (/** @type {string | undefined} */ source) =>
    source && resolve(CLIENT, source) === resolve(CLIENT, entry);
  const [[path, { imports }]] = Object.entries(result.metafile.outputs).filter(([, output]) => isOf(output.entryPoint));
  const needed = imports.filter(({ kind }) => kind === "import-statement").map((each) => basename(each.path));
  return { script: ASSETS + basename(path), imports: needed.map((name) => ASSETS + name) };
}

/** @param {import("esbuild").PluginBuild} esbuild @param {string} entry that all parts import; empty for none */
function followParts(esbuild, entry) {
  esbuild.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) =>
    kind === "dynamic-import" ? { path: join(resolveDir, path), pluginData: { isPart: true } } : undefined,
  );
  esbuild.onLoad({ filter: /\.js$/ }, async ({ path, pluginData }) => {
    const { contents, loader } = await readModule({ path });
    const shared = pluginData?.isPart && entry ? `\nimport ${JSON.stringify(entry)};` : "";
    return { contents: contents + shared, loader };
  });
}

/** Reads a module. Each worker that it names becomes a bundle, and the module names that. @param {{path: string}} file */
async function readModule({ path }) {
  const code = await readFile(path, "utf8");
  const loader = /** @type {const} */ ("js");
  if (path.includes("/node_modules/")) return { contents: code, loader };
  const found = [...code.matchAll(WORKER)].map(([, name]) => join(dirname(path), name));
  for (const worker of found) {
    if (!workers.has(worker))
      workers.set(
        worker,
        bundle(worker).then(({ script }) => script),
      );
  }
  const addresses = await Promise.all(found.map((worker) => workers.get(worker)));
  return { contents: code.replace(WORKER, () => `new URL("${addresses.shift()}",location.origin)`), loader };
}

/** @param {string[]} files in the order of the page */
async function bundleStyles(files) {
  const contents = files.map((file) => `@import "./${file}";`).join("\n");
  const result = await build({
    ...SHARED,
    stdin: { contents, loader: "css", resolveDir: CLIENT },
    target: "esnext",
    outfile: "page.css",
  });
  note(result.metafile);
  return result.outputFiles[0].text.trim();
}

/** Bundles the service worker, which is told what it keeps. @param {string[]} kept @param {string} version */
async function bundleServiceWorker(kept, version) {
  const result = await build({
    ...SHARED,
    entryPoints: ["sw.js"],
    outfile: "sw.js",
    banner: { js: `self.BUNDLE=${JSON.stringify({ version, assets: kept })};` },
  });
  note(result.metafile);
  return result.outputFiles[0].text;
}

/** Rewrites the page of the sources into that of the bundle. @param {string} page */
async function rewritePage(page) {
  const styles = [...page.matchAll(/ *<link rel="stylesheet" href="\/client\/([^"]+)">\n/g)];
  const entry = /<script type="module" src="\/client\/([^"]+)"><\/script>/.exec(page);
  if (!styles.length || !entry) throw new Error("expected index.html to link styles and one module");
  const css = await bundleStyles(styles.map(([, file]) => file));
  const { script, imports } = await bundle(entry[1], true);
  const preloads = imports.map((address) => `<link rel="modulepreload" href="${address}">`);
  // Functions, since "$" in a replacement has a meaning.
  const rewritten = styles
    .reduce((text, [link], index) => text.replace(link, () => (index ? "" : `<style>${css}</style>\n`)), page)
    .replace(/<script type="importmap">.*?<\/script>/s, "")
    .replace(entry[0], () => [...preloads, `<script type="module" src="${script}"></script>`].join("\n"))
    .replace(/<!--.*?-->/gs, "")
    .replace(/^\s+/gm, "");
  return { page: rewritten, kept: [script, ...imports] };
}

/** Remembers the sources of a build. @param {import("esbuild").Metafile} metafile */
function note({ inputs }) {
  for (const path of Object.keys(inputs)) if (path !== "<stdin>") sources.add(path);
}

/** Writes a file and its compressed forms, except where they are no smaller. @param {string} path @param {string | Uint8Array} content */
async function writeForms(path, content) {
  const plain = Buffer.from(content);
  const best = { params: { [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } };
  const forms = { "": plain, ".gz": gzipSync(plain, { level: 9 }), ".br": brotliCompressSync(plain, best) };
  for (const [ending, form] of Object.entries(forms)) {
    if (!ending || form.length < plain.length) await writeFile(path + ending, form);
  }
}

/** @param {string | Uint8Array} content */
function hash(content) {
  return createHash("sha256").update(content).digest("hex");
}

/** Puts a finished folder in the place of the old one, so that no server reads half of one. @param {string} folder */
async function replaceFolder(folder) {
  await rm(`${folder}.old`, { recursive: true, force: true });
  await rename(folder, `${folder}.old`).catch(() => {}); // there is none at first
  await rename(`${folder}.new`, folder);
  await rm(`${folder}.old`, { recursive: true, force: true });
}

/** @param {string} folder */
async function main(folder) {
  const { page, kept } = await rewritePage(await readFile(join(CLIENT, "index.html"), "utf8"));
  const worker = await bundleServiceWorker(kept, hash(page).slice(0, 12));
  await rm(`${folder}.new`, { recursive: true, force: true });
  await mkdir(`${folder}.new/assets`, { recursive: true });
  await writeForms(`${folder}.new/index.html`, page);
  await writeForms(`${folder}.new/sw.js`, worker);
  for (const [name, content] of assets) await writeForms(`${folder}.new/assets/${name}`, content);
  const hashes = {};
  for (const path of [...sources].sort()) hashes[path] = hash(await readFile(join(CLIENT, path)));
  await writeFile(`${folder}.new/bundle.json`, JSON.stringify({ sources: hashes }, null, 1));
  await replaceFolder(folder);
}

await main(resolve(argv[2]));
