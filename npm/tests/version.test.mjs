/** Everything names one version, and one command sets it. */

import assert from "node:assert/strict";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { disagreements, named, set, version } from "../../release/version.mjs";
import { place, root, told } from "./support.mjs";

const script = join(root, "release/version.mjs");

/** A copy of the files that name it. */
async function copy(t) {
  const directory = `${await place(t)}/`;
  for (const { file } of named()) {
    await mkdir(dirname(directory + file), { recursive: true });
    await cp(root + file, directory + file);
  }
  return directory;
}

test("everything names the same version", async () => {
  assert.deepEqual(disagreements(), []);
  const { stdout, code } = await told(process.execPath, [script]);
  assert.deepEqual([stdout, code], [`${version()}\n`, 0]);
});

test("one place that is left behind is named", async (t) => {
  for (const { file, line } of named().slice(1)) {
    const directory = await copy(t);
    const lines = (await readFile(directory + file, "utf8")).split("\n");
    lines[line - 1] = lines[line - 1].replace(version(), "0.0.7");
    await writeFile(directory + file, lines.join("\n"));
    assert.deepEqual(disagreements(directory), [`${file}:${line} says 0.0.7, and Cargo.toml says ${version()}`]);
  }
});

test("a version is set everywhere, and nothing else is changed", async (t) => {
  const directory = await copy(t);
  set("7.1.0-rc.2", directory);
  assert.deepEqual(new Set(named(directory).map((place) => place.version)), new Set(["7.1.0-rc.2"]));
  set(version(), directory);
  for (const { file } of named()) {
    assert.equal(await readFile(directory + file, "utf8"), await readFile(root + file, "utf8"), file);
  }
});

test("a dry run changes nothing and says what would be", async () => {
  const texts = () => Promise.all(named().map(({ file }) => readFile(root + file, "utf8")));
  const before = await texts();
  const { stdout, code } = await told(process.execPath, [script, "7.1.0", "--dry-run"]);
  assert.equal(code, 0);
  assert.deepEqual(await texts(), before);
  assert.equal(stdout.trim().split("\n").length, named().length);
  assert.match(stdout, new RegExp(`^Cargo.toml:3: ${version()} -> 7.1.0$`, "m"));
});

test("what is no version is refused", async () => {
  for (const words of [["v7.1.0"], ["7.1"], ["07.1.0"], ["--dry-run", "next"], ["7.1.0", "7.2.0"], ["--force"]]) {
    const { code, stderr } = await told(process.execPath, [script, ...words, "--dry-run"]);
    assert.equal(code, 2, words.join(" "));
    assert.match(stderr, /is no version|usage/);
  }
});
