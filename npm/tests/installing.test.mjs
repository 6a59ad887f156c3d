/** What is packed can be installed without a script and without a network, and is found by whoever depends on it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { version } from "../../release/version.mjs";
import { host, targets } from "../targets.mjs";
import { registry } from "./registry.mjs";
import { binary, DEADLINE_MS, environment, npm, packed, place, programFor, root, told } from "./support.mjs";

const other = host === "linux-arm64-gnu" ? ["linux-x64-gnu", 62] : ["linux-arm64-gnu", 183];

/** Where everything is packed, for this platform and for one that is not this one. */
let out;
const ends = [];

before(async () => {
  out = await place({ after: (end) => ends.push(end) });
  await mkdir(join(out, "packed"));
  await programFor(join(out, "program"), other[1]);
  out = join(out, "packed");
  await packed("--out", out, "--target", host, "--binary", binary);
  await packed("--out", out, "--target", other[0], "--binary", join(out, "../program"));
  await packed("--out", out, "--packages");
  // The client's one dependency, which it has installed itself.
  const dependency = join(root, "clients/typescript/node_modules/vscode-jsonrpc");
  const packing = ["pack", dependency, "--ignore-scripts", "--pack-destination", out];
  const { code, stderr } = await told("npm", packing, { cwd: out });
  assert.equal(code, 0, stderr);
});

after(async () => {
  for (const end of ends) await end();
});

/** An empty project, and the user whose project it is. */
async function app(t) {
  const home = await place(t);
  const directory = join(home, "app");
  await mkdir(directory);
  await writeFile(join(directory, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  return { home, directory };
}

/** Packed packages by the beginning of their names, as npm takes them from files. */
async function files(...names) {
  const all = (await readdir(out)).filter((file) => file.endsWith(".tgz"));
  return names.map((name) => {
    const found = all.filter((file) => file.startsWith(name));
    assert.equal(found.length, 1, `${name}: ${all}`);
    return join(out, found[0]);
  });
}

const installedCommand = (directory) => join(directory, "node_modules/.bin/sexton");

/** Opens a project with the client, has it do something, and waits to be told. */
const PROGRAM = `
import { mkdirSync } from "node:fs";
import { SextonClient } from "sexton-client";
mkdirSync("project", { recursive: true });
let client;
try {
  client = await SextonClient.spawn({ project: "project" });
  const events = client.events({ kinds: ["run.updated"] });
  const task = { kind: "notify", text: "Stand up" };
  await client.automations.create({ title: "Hello", kind: "oneshot", fireAt: Date.now() + 1000, task });
  for await (const event of events) {
    if (event.kind === "resync" || event.run.completedAt === null) continue;
    console.log(event.run.state);
    break;
  }
} catch (error) {
  console.log(error.kind, error.message);
} finally {
  await client?.close();
}
`;

async function runs({ home, directory }, cwd = directory) {
  await writeFile(join(directory, "program.js"), PROGRAM);
  return told(process.execPath, [join(directory, "program.js")], { cwd, env: environment(home) });
}

test("from files, offline: the command runs, and the client opens a project", { timeout: DEADLINE_MS }, async (t) => {
  const { home, directory } = await app(t);
  const wanted = await files(`sexton-${version()}`, `sexton-bin-${host}`, "sexton-client", "vscode-jsonrpc");
  await npm(directory, home, "install", "--offline", ...wanted);
  const said = await told(installedCommand(directory), ["--version"], { env: environment(home) });
  assert.deepEqual([said.stdout, said.code], [`sexton ${version()}\n`, 0]);
  const wrong = await told(installedCommand(directory), ["no-such-command"], { env: environment(home) });
  assert.equal(wrong.code, 2);
  assert.deepEqual(await runs({ home, directory }), { stdout: "succeeded\n", stderr: "", code: 0 });
});

test("from a registry: npm chooses the platform, or is told to leave it out", { timeout: DEADLINE_MS }, async (t) => {
  const address = await registry(t, out);
  const { home, directory } = await app(t);
  await npm(directory, home, "install", "--registry", address, "sexton", "sexton-client");
  assert.deepEqual(await readdir(join(directory, "node_modules/@sexton-bin")), [host]);
  const finds = ["-e", 'import("sexton").then(({ binaryPath }) => console.log(binaryPath()))'];
  const { stdout } = await told(process.execPath, finds, { cwd: directory, env: environment(home) });
  const path = join(directory, "node_modules/@sexton-bin", host, "bin", targets[host].program);
  assert.equal(stdout.trim(), path);
  assert.equal((await told(path, ["--version"])).stdout, `sexton ${version()}\n`);
  assert.deepEqual(await runs({ home, directory }), { stdout: "succeeded\n", stderr: "", code: 0 });

  const readme = await readFile(join(root, "npm/sexton/README.md"), "utf8");
  const [, shown] = readme.match(/```js\n(.*?)```/s);
  const ask = 'sidecar.stdin.end(`{"jsonrpc":"2.0","id":1,"method":"shutdown"}\\n`);';
  await writeFile(join(directory, "shown.js"), `${shown}sidecar.stdout.pipe(process.stdout);\n${ask}\n`);
  const answered = await told(process.execPath, ["shown.js"], { cwd: directory, env: environment(home) });
  assert.deepEqual(JSON.parse(answered.stdout), { jsonrpc: "2.0", id: 1, result: null }, answered.stderr);

  const bare = await app(t);
  await npm(bare.directory, bare.home, "install", "--registry", address, "--omit=optional", "sexton", "sexton-client");
  const refused = await told(installedCommand(bare.directory), ["--version"], { env: environment(bare.home) });
  assert.equal(refused.code, 1);
  const where = `is in @sexton-bin/${host}@${version()}, which is not installed`;
  const missing = new RegExp(`${where}\\. .*--omit=optional.*SEXTON_BIN`);
  assert.match(refused.stderr, missing);
  const opened = await runs(bare);
  assert.match(opened.stdout, /^sidecar_unavailable /);
  assert.match(opened.stdout, missing);
});

test("a package of the project itself is not asked", { timeout: DEADLINE_MS }, async (t) => {
  const { home, directory } = await app(t);
  await npm(directory, home, "install", "--offline", ...(await files("sexton-client", "vscode-jsonrpc")));
  const project = join(home, "project");
  const theirs = join(project, "node_modules/sexton");
  await mkdir(theirs, { recursive: true });
  await writeFile(join(theirs, "package.json"), JSON.stringify({ name: "sexton", main: "index.js" }));
  const taken = join(home, "taken");
  await writeFile(join(theirs, "index.js"), `require("node:fs").writeFileSync(${JSON.stringify(taken)}, "");`);
  const { stdout } = await runs({ home, directory }, project);
  assert.match(stdout, /^sidecar_unavailable sexton cannot be started \(.*ENOENT\); have the app depend on/);
  assert.ok(!existsSync(taken), "a program of the project was run");
});

/** For what there is only where there are signals and scripts. */
const SIGNALLED = { timeout: DEADLINE_MS, skip: process.platform === "win32" };

/** The package as it is installed, with this script as its program. */
async function withProgram(t, script) {
  const { home, directory } = await app(t);
  const main = join(directory, "node_modules/sexton");
  await cp(join(root, "npm/sexton"), main, { recursive: true });
  const manifest = { name: "sexton", version: "1.0.0", optionalDependencies: { [`@sexton-bin/${host}`]: "1.0.0" } };
  await writeFile(join(main, "package.json"), JSON.stringify(manifest));
  const bin = join(directory, "node_modules/@sexton-bin", host);
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "package.json"), JSON.stringify({ sexton: { program: "program" } }));
  await writeFile(join(bin, "program"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { launcher: join(main, "bin/sexton.js"), main, home };
}

test("the command ends as its program ends", SIGNALLED, async (t) => {
  const coded = await withProgram(t, 'echo "$1"; exit 7');
  const { stdout, code } = await told(process.execPath, [coded.launcher, "a b"]);
  assert.deepEqual([stdout, code], ["a b\n", 7]);
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"]) {
    const killed = await withProgram(t, `kill -${signal.slice(3)} $$`);
    assert.equal((await told(process.execPath, [killed.launcher])).signal, signal);
  }
});

test("its program is asked to end as the command is", SIGNALLED, async (t) => {
  const waits = 'while kill -0 "$PPID" 2>/dev/null; do command -p sleep 0.02; done';
  const { launcher } = await withProgram(t, `trap 'echo asked; exit 0' TERM; echo here; ${waits}`);
  const child = spawn(process.execPath, [launcher], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (data) => {
    if (said === "") child.kill("SIGTERM");
    said += data;
  });
  const [code] = await once(child, "close");
  assert.deepEqual([said, code], ["here\nasked\n", 0]);
});

test("a platform without a package is told what there is", async (t) => {
  const { main } = await withProgram(t, "exit 0");
  const manifest = { name: "sexton", version: "1.0.0", optionalDependencies: { "@sexton-bin/aix-ppc64": "1.0.0" } };
  await writeFile(join(main, "package.json"), JSON.stringify(manifest));
  const asks = ["-e", `require(${JSON.stringify(main)}).binaryPath()`];
  const { stderr, code } = await told(process.execPath, asks);
  assert.equal(code, 1);
  assert.match(stderr, /sexton 1\.0\.0 has no program for \S+, only for aix-ppc64: .*cargo install sexton/);
});
