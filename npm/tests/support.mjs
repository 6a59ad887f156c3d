/** What these tests need of the world: the program, a place of their own, and npm without a network. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { host } from "../targets.mjs";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export const binary = process.env["SEXTON_BIN"] ?? join(root, "target/release/sexton");
assert.ok(existsSync(binary), `there is no ${binary}: \`cargo build --release\`, or name a program with SEXTON_BIN`);
assert.ok(host !== undefined, `nothing is packed for ${process.platform} ${process.arch}`);

/** Longer than anything takes on a machine that is busy with something else. */
export const DEADLINE_MS = 120_000;

/** A directory that goes with the test. */
export async function place(test) {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "sexton-npm-")));
  test.after(() => rm(directory, { recursive: true, force: true, maxRetries: 20 }));
  return directory;
}

/** The surroundings of a user who has Node and nothing else, and whose files are in this directory. */
export function environment(home) {
  const env = { ...process.env, HOME: home, PATH: [dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter) };
  for (const name of ["SEXTON_BIN", "NODE_PATH", "XDG_STATE_HOME", "XDG_CONFIG_HOME"]) delete env[name];
  const npm = { npm_config_cache: join(home, "cache"), npm_config_userconfig: join(home, "npmrc") };
  return { ...env, ...npm, SEXTON_STATE_DIR: join(home, "state") };
}

/** Runs a program to its end, which is told whatever it was. */
export async function told(program, args, options = {}) {
  try {
    const done = await promisify(execFile)(program, args, { timeout: DEADLINE_MS / 2, ...options });
    return { ...done, code: 0 };
  } catch (error) {
    if (typeof error.code !== "number" && error.signal === null) throw error;
    return { stdout: error.stdout, stderr: error.stderr, code: error.code, signal: error.signal };
  }
}

export async function pack(...args) {
  return told(process.execPath, [join(root, "npm/pack.mjs"), ...args], { cwd: root });
}

/** Packs what must be packable. */
export async function packed(...args) {
  const { code, stderr } = await pack(...args);
  assert.equal(code, 0, stderr);
}

export async function npm(directory, home, ...args) {
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
  const done = await told("npm", [...args, ...quiet], { cwd: directory, env: environment(home) });
  assert.equal(done.code, 0, `npm ${args.join(" ")}: ${done.stderr}`);
}

/** Enough of a program for another machine that it is taken for one. */
export async function programFor(file, machine) {
  const data = Buffer.alloc(64);
  data.writeUInt32BE(0x7f454c46, 0);
  data.writeUInt16LE(machine, 18);
  await writeFile(file, data, { mode: 0o755 });
}
