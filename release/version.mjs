#!/usr/bin/env node
/**
 * The version of this release. It is `Cargo.toml`'s; everything else that names it follows.
 *
 * node release/version.mjs                       says it, and fails where a file names another one
 * node release/version.mjs 0.2.0 [--dry-run]     sets it everywhere, or says where it would
 */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

/** What every package holds. */
export const licences = ["LICENSE-APACHE", "LICENSE-MIT"];

/** Where the version stands, once each: what stands before it, the version, what follows. */
const places = [
  ["Cargo.toml", /(^\[package\]\nname = "sexton"\nversion = ")([^"]*)(")/m],
  ["Cargo.lock", /(^name = "sexton"\nversion = ")([^"]*)(")/m],
  ["benches/Cargo.lock", /(^name = "sexton"\nversion = ")([^"]*)(")/m],
  ["clients/python/pyproject.toml", /(^\[project\]\nname = "sexton-client"\nversion = ")([^"]*)(")/m],
  ["clients/typescript/package.json", /(^ {2}"version": ")([^"]*)(")/m],
  ["clients/typescript/package.json", /("sexton": "\^)([^"]*)(")/],
  ["clients/typescript/package-lock.json", /(^ {2}"version": ")([^"]*)(")/m],
  ["clients/typescript/package-lock.json", /("": \{\s*"name": "sexton-client",\s*"version": ")([^"]*)(")/],
  ["clients/typescript/package-lock.json", /("sexton": "\^)([^"]*)(")/],
  ["clients/typescript/examples/vscode/package.json", /(^ {2}"version": ")([^"]*)(")/m],
  ["clients/typescript/examples/vscode/package.json", /("sexton-client": "\^)([^"]*)(")/],
];

/** The same as Cargo and npm understand it: `1.2.3`, or `1.2.3-rc.1`. */
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/** Every place below this directory, with the version that it names. */
export function named(directory = root) {
  return places.map(([file, pattern]) => {
    const found = pattern.exec(readFileSync(directory + file, "utf8"));
    if (found === null) throw new Error(`${file}: the version is not where it was; say where in release/version.mjs`);
    const line = found.input.slice(0, found.index + found[1].length).split("\n").length;
    return { file, line, pattern, version: found[2] };
  });
}

/** The version of this release. */
export function version(directory = root) {
  return named(directory)[0].version;
}

/** What does not agree with it, in sentences. */
export function disagreements(directory = root) {
  const [{ version }, ...others] = named(directory);
  return others
    .filter((other) => other.version !== version)
    .map((other) => `${other.file}:${other.line} says ${other.version}, and Cargo.toml says ${version}`);
}

/** Sets it everywhere. */
export function set(wanted, directory = root) {
  for (const { file, pattern } of named(directory)) {
    const text = readFileSync(directory + file, "utf8");
    writeFileSync(directory + file, text.replace(pattern, (_, before, __, after) => before + wanted + after));
  }
}

function main(words) {
  const [wanted, ...more] = words.filter((word) => word !== "--dry-run");
  if (more.length > 0 || wanted?.startsWith("-")) {
    throw new Error("usage: node release/version.mjs [VERSION [--dry-run]]");
  }
  if (wanted === undefined) {
    const wrong = disagreements();
    const repair = `set it everywhere: node release/version.mjs ${version()}`;
    if (wrong.length > 0) throw new Error([...wrong, repair].join("\n"));
    return console.log(version());
  }
  if (!VERSION.test(wanted)) throw new Error(`${wanted} is no version; write one such as 1.2.3 or 1.2.3-rc.1`);
  for (const { file, line, version } of named()) console.log(`${file}:${line}: ${version} -> ${wanted}`);
  if (!words.includes("--dry-run")) set(wanted);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 2;
  }
}
