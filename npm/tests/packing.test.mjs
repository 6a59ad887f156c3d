/** What is packed is complete, is for the machine that it says, and is the same each time. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, copyFile, mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { version } from "../../release/version.mjs";
import { host, targets } from "../targets.mjs";
import { binary, DEADLINE_MS, pack, packed, place, programFor, told } from "./support.mjs";

const { program } = targets[host];

/** The names of what is in an archive, with their modes. */
function listing(archive) {
  const lines = execFileSync("tar", ["-tvzf", archive], { encoding: "utf8" }).trim().split("\n");
  return lines.map((line) => line.split(/\s+/)).map((words) => `${words[0]} ${words.at(-1)}`);
}

function member(archive, path) {
  return execFileSync("tar", ["-xzOf", archive, path], { maxBuffer: 1 << 30 });
}

test("a release is complete, the same each time, and its sums hold", { timeout: DEADLINE_MS }, async (t) => {
  const out = await place(t);
  const [first, second] = [join(out, "first"), join(out, "second")];
  const completions = join(out, "completions");
  await mkdir(completions);
  await writeFile(join(completions, "sexton.bash"), "complete\n", { mode: 0o600 });
  await packed("--out", first, "--target", host, "--binary", binary, "--completions", completions);
  await packed("--out", first, "--packages");
  const later = join(out, "later");
  await copyFile(binary, later);
  await utimes(later, 1_900_000_000, 1_900_000_000);
  await packed("--out", second, "--target", host, "--binary", later, "--completions", completions);
  await packed("--out", second, "--packages");

  const sums = await readFile(join(first, "SHA256SUMS"), "utf8");
  assert.equal(await readFile(join(second, "SHA256SUMS"), "utf8"), sums);
  const names = [
    `sexton-${version()}-${host}.tar.gz`,
    `sexton-${version()}.tgz`,
    `sexton-bin-${host}-${version()}.tgz`,
    `sexton-client-${version()}.tgz`,
  ];
  assert.deepEqual(sums.trim().split("\n").map((line) => line.slice(66)), names);
  assert.equal((await told("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: first })).code, 0);

  const [archive, main, bin, client] = names.map((name) => join(first, name));
  const folder = `sexton-${version()}-${host}`;
  assert.deepEqual(listing(archive), [
    `-rw-r--r-- ${folder}/LICENSE-APACHE`,
    `-rw-r--r-- ${folder}/LICENSE-MIT`,
    `-rw-r--r-- ${folder}/README.md`,
    `-rw-r--r-- ${folder}/THIRD-PARTY-LICENSES.txt`,
    `-rw-r--r-- ${folder}/completions/sexton.bash`,
    `-rwxr-xr-x ${folder}/${program}`,
  ]);
  assert.ok((await readFile(binary)).equals(member(archive, `${folder}/${program}`)), "the program is another one");
  const notices = member(archive, `${folder}/THIRD-PARTY-LICENSES.txt`).toString();
  for (const one of ["\ntokio ", "\nrusqlite ", "\njiff ", "SQLite"]) assert.ok(notices.includes(one), `no ${one}`);
  assert.ok(!notices.includes("\nproptest "), "what only tests need is not built in");

  const plain = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"].map((name) => `-rw-r--r-- package/${name}`);
  const exec = (path) => `-rwxr-xr-x package/${path}`;
  const holds = (packed, ...more) => {
    const found = listing(packed);
    for (const wanted of [...plain, ...more]) assert.ok(found.includes(wanted), `${packed} lacks ${wanted}`);
  };
  holds(bin, exec(`bin/${program}`), "-rw-r--r-- package/THIRD-PARTY-LICENSES.txt");
  holds(main, exec("bin/sexton.js"));
  holds(client, "-rw-r--r-- package/dist/index.js");

  await appendFile(bin, "more");
  assert.notEqual((await told("sha256sum", ["-c", "--strict", "SHA256SUMS"], { cwd: first })).code, 0);
});

test("the package for apps depends on the platforms that are packed", { timeout: DEADLINE_MS }, async (t) => {
  const out = await place(t);
  const nothing = await pack("--out", out, "--packages");
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /no platform of .* is packed there yet; begin with --target/);
  const other = host === "linux-arm64-gnu" ? ["linux-x64-gnu", 62] : ["linux-arm64-gnu", 183];
  await programFor(join(out, "program"), other[1]);
  await packed("--out", out, "--target", other[0], "--binary", join(out, "program"));
  await packed("--out", out, "--packages");
  const main = JSON.parse(member(join(out, `sexton-${version()}.tgz`), "package/package.json"));
  assert.equal(main.version, version());
  assert.deepEqual(main.optionalDependencies, { [`@sexton-bin/${other[0]}`]: version() });
});

test("what cannot be packed is said", { timeout: DEADLINE_MS }, async (t) => {
  const out = await place(t);
  const file = join(out, "program");
  await programFor(file, 8);
  const script = join(out, "script");
  await writeFile(script, `#!/bin/sh\n${"#".repeat(100)}\necho 0.0.0\n`, { mode: 0o755 });
  const usage = /^pack: usage: /;
  const cases = [
    [["--out", out], usage],
    [["--out", out, "--packages", "--target", host], usage],
    [["--out", out, "--target", host], usage],
    [["--target", host, "--binary", binary], usage],
    [["--out", out, "--everything"], /Unknown option '--everything'/],
    [["--out", out, "--target", "toString", "--binary", binary], /toString is no target; these are: linux-x64-gnu, /],
    [["--out", out, "--target", host, "--binary", join(out, "none")], /ENOENT.*none/],
    [["--out", out, "--target", host, "--binary", script], /script is a program for nothing known, not for /],
    [["--out", out, "--target", host, "--binary", file], /program is a program for nothing known, not for /],
    [["--out", out, "--target", "darwin-arm64", "--binary", binary], /is a program for .*, not for darwin arm64/],
    [["--out", out, "--target", host, "--binary", binary, "--completions", join(out, "none")], /ENOENT.*none/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await pack(...args);
    assert.equal(code, 2, args.join(" "));
    assert.match(stderr, message);
  }
  // Of the right kind, and no sexton of this version.
  const { code, stderr } = await pack("--out", out, "--target", host, "--binary", process.execPath);
  assert.equal(code, 2);
  assert.match(stderr, /says v\d.*, and this is sexton .*: build it again/);
});
