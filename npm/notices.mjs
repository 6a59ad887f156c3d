/** The licences of everything that is built into the program, as these licences want it told. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../release/version.mjs";

/** The text for the program of a target (as rustc names it). */
export function notices(rust) {
  const texts = new Map();
  const packages = builtIn(rust);
  for (const { name, version, license, manifest_path: manifest } of packages) {
    const directory = dirname(manifest);
    const files = readdirSync(directory).filter((file) => /^(licen[cs]e|copying|notice|unlicense)/i.test(file)).sort();
    for (const file of files) {
      const text = readFileSync(join(directory, file), "utf8").replaceAll("\r\n", "\n").trim();
      texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`]);
    }
    if (files.length === 0) {
      const text = `${license}; its package holds no text of it.`;
      texts.set(text, [...(texts.get(text) ?? []), `${name} ${version} (${license})`]);
    }
  }
  const line = "-".repeat(80);
  const parts = [...texts].map(([text, names]) => `${line}\n${[...new Set(names)].join("\n")}\n\n${text}\n`);
  const head = "What is built into sexton, each under one of the licences that stand in brackets, and their texts.\n";
  return `${head}SQLite, which is built in as well, is in the public domain.\n\n${parts.join("\n")}`;
}

/** The packages that the program is made of: without those of its tests, its build scripts and its macros. */
function builtIn(rust) {
  const words = ["metadata", "--format-version", "1", "--locked", "--filter-platform", rust];
  const told = execFileSync("cargo", words, { cwd: root, encoding: "utf8", maxBuffer: 1 << 28 });
  const { packages, resolve } = JSON.parse(told);
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const isMacro = (id) => packages.find((one) => one.id === id).targets.some(({ kind }) => kind.includes("proc-macro"));
  const found = new Set();
  const visit = (id) => {
    for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) {
      if (found.has(pkg) || !kinds.some(({ kind }) => kind === null) || isMacro(pkg)) continue;
      found.add(pkg);
      visit(pkg);
    }
  };
  visit(resolve.root);
  return packages.filter(({ id }) => found.has(id)).sort((one, other) => (one.id < other.id ? -1 : 1));
}
