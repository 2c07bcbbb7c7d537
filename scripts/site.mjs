// The last step of scripts/build-site: names with a hash of the content, compressed twins, and the manifest.
//
//   node scripts/site.mjs WORK PUBLIC SITE release|dev
//
// Reads WORK/wasm/slipway.js, WORK/wasm/slipway_bg.wasm, WORK/main.css and PUBLIC/. Writes
//   SITE/assets/      files named by their content, which browsers may keep for ever
//   SITE/root/        files whose names are fixed (robots.txt, favicon.svg)
//   SITE/manifest.json
// and a .br and .gz beside every file that compresses. Files that stay the same are not written again, so that Cargo
// doesn't rebuild the server that embeds them.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [work, publicFolder, site, mode] = process.argv.slice(2);
const compressible = new Set([".css", ".html", ".js", ".json", ".mjs", ".svg", ".txt", ".wasm", ".webmanifest", ".xml"]);
const written = new Set();

/** All files below a folder. */
function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

function put(name, content) {
  const path = join(site, name);
  written.add(path);
  if (existsSync(path) && readFileSync(path).equals(content)) return false;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return true;
}

/** Writes a file and its compressed twins. */
function publish(name, content) {
  content = Buffer.from(content);
  const changed = put(name, content);
  if (!compressible.has(extname(name))) return name;
  const twins = [`${name}.br`, `${name}.gz`];
  if (!changed && twins.every((twin) => existsSync(join(site, twin)))) {
    // The best compression takes seconds: keep what is there.
    twins.forEach((twin) => written.add(join(site, twin)));
    return name;
  }
  const quality = mode === "release" ? 11 : 4;
  put(twins[0], brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  }));
  put(twins[1], gzipSync(content, { level: mode === "release" ? 9 : 4 }));
  return name;
}

function hashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  const extension = extname(name);
  return publish(`assets/${basename(name, extension)}-${hash}${extension}`, content);
}

const wasm = hashed("slipway.wasm", readFileSync(join(work, "wasm/slipway_bg.wasm")));
const glue = readFileSync(join(work, "wasm/slipway.js"), "utf8").replaceAll("slipway_bg.wasm", basename(wasm));
const js = hashed("slipway.js", glue);
// Scripts of dependencies; their folder's name is a hash already.
for (const path of files(join(work, "wasm/snippets"))) {
  publish(join("assets", relative(join(work, "wasm"), path)), readFileSync(path));
}
const css = hashed("main.css", readFileSync(join(work, "main.css")));

const manifest = { js: `/${js}`, wasm: `/${wasm}`, css: `/${css}` };
for (const path of files(publicFolder)) {
  const name = relative(publicFolder, path);
  if (name === "README.md") continue;
  if (name === "icons.svg") manifest.icons = `/${hashed(name, readFileSync(path))}`;
  else publish(join("root", name), readFileSync(path));
}
put("manifest.json", Buffer.from(JSON.stringify(manifest, null, 2) + "\n"));

for (const path of files(site)) if (!written.has(path)) rmSync(path);

const kilobytes = (name) => `${(statSync(join(site, name)).size / 1000).toFixed(1)} kB`;
for (const name of [wasm, js, css]) console.log(`    ${name}  ${kilobytes(name)}, ${kilobytes(`${name}.br`)} with brotli`);
