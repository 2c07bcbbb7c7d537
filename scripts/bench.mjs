// The measurements of scripts/bench: node scripts/bench.mjs SLIPWAY SITE
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [program, site] = process.argv.slice(2);
const requests = 2000;
const connections = 8;
const row = (name, value) => console.log(`    ${name.padEnd(40)} ${value}`);
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;

const manifest = JSON.parse(readFileSync(join(site, "manifest.json"), "utf8"));
for (const [kind, path] of Object.entries(manifest)) {
  row(`${kind}, with brotli`, kilobytes(statSync(`${site}${path}.br`).size));
}
row("server binary", kilobytes(statSync(program).size));

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const folder = mkdtempSync(join(tmpdir(), "slipway-bench-"));
const data = join(folder, "data");
const log = join(folder, "log");
mkdirSync(data, { mode: 0o700 });
const agent = new http.Agent({ keepAlive: true, maxSockets: connections });

function get(path) {
  return new Promise((resolve, reject) => {
    http.get({ host: "127.0.0.1", port, path, agent, headers: { accept: "text/html", "accept-encoding": "br" } }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    }).on("error", reject);
  });
}

const memory = (pid) => {
  const [, kib] = readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/);
  return `${(kib / 1024).toFixed(1)} MiB`;
};

const began = performance.now();
const server = spawn(program, ["serve"], {
  env: { ...process.env, SLIPWAY_DATA_DIR: data, SLIPWAY_LISTEN: `127.0.0.1:${port}` },
  stdio: ["ignore", openSync(log, "a"), openSync(log, "a")],
});
try {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the server ended: ${readFileSync(log, "utf8")}`);
    if (performance.now() - began > 30_000) throw new Error("the server did not answer within 30 s");
    if (await get("/healthz").catch(() => 0)) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  row("start, to the first answer", `${(performance.now() - began).toFixed(0)} ms`);
  row("memory, idle", memory(server.pid));
  for (const path of ["/healthz", "/setup", manifest.css]) {
    const status = await get(path);
    const times = [];
    let left = requests;
    const start = performance.now();
    await Promise.all(Array.from({ length: connections }, async () => {
      while (left-- > 0) {
        const asked = performance.now();
        await get(path);
        times.push(performance.now() - asked);
      }
    }));
    const seconds = (performance.now() - start) / 1000;
    times.sort((a, b) => a - b);
    const at = (share) => times[Math.floor(times.length * share)].toFixed(1);
    row(`GET ${path.replace(/-[0-9a-f]{12}/, "")} (${status})`,
      `${Math.round(times.length / seconds)}/s, half within ${at(0.5)} ms, 99 % within ${at(0.99)} ms`);
  }
  row("memory, afterwards", memory(server.pid));
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}
