#!/usr/bin/env node
/**
 * Packs what a release consists of. docs/releasing.md says when.
 *
 * node npm/pack.mjs --out DIR --target NAME --binary FILE [--completions DIR]
 *     the archive and the npm package of one platform, from its program
 * node npm/pack.mjs --out DIR --packages
 *     the npm packages `sexton`, for the platforms that are in DIR by then, and `sexton-client`
 *
 * Both write SHA256SUMS over everything that is in DIR. The same input gives the same bytes.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { licences, root, version } from "../release/version.mjs";
import { notices } from "./notices.mjs";
import { archive } from "./tar.mjs";
import { host, madeFor, targets } from "./targets.mjs";

const SCOPE = "@sexton-bin/";

/** The packages are for everybody, also those with a scope. */
const PUBLISHED = { publishConfig: { access: "public" } };

/** As npm calls the archive of a package with a scope. */
const platformPackage = (target) => `sexton-bin-${target}-${version()}.tgz`;

const file = (path, data, mode = 0o644) => ({ path, mode, data: typeof data === "string" ? Buffer.from(data) : data });
const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
const read = (path) => readFileSync(join(root, path));
const below = (directory, files) => files.map((one) => ({ ...one, path: `${directory}/${one.path}` }));
const licenceFiles = () => licences.map((name) => file(name, read(name)));

/** The archive of one platform, and its npm package. */
function platform({ out, target, binary, completions }) {
  const made = targets[target];
  const data = program(target, binary);
  const [exe, third] = [file(made.program, data, 0o755), file("THIRD-PARTY-LICENSES.txt", notices(made.rust))];
  const words = completions === undefined ? [] : below("completions", filesIn(completions));
  const plain = [exe, third, ...words, ...licenceFiles(), file("README.md", read("README.md"))];
  const name = `sexton-${version()}-${target}`;
  write(out, `${name}.tar.gz`, below(name, plain));

  const manifest = {
    name: SCOPE + target,
    version: version(),
    description: `The program of sexton for ${target}`,
    license: "MIT OR Apache-2.0",
    os: [made.os],
    cpu: [made.cpu],
    ...(made.libc === undefined ? {} : { libc: [made.libc] }),
    // Where to find it, for the package `sexton`.
    sexton: { program: `bin/${made.program}` },
    // Nothing can be started inside of an archive.
    preferUnplugged: true,
    ...PUBLISHED,
  };
  const readme = read("npm/platform/README.md").toString().replaceAll("{name}", manifest.name);
  const packed = [
    file("package.json", json(manifest)),
    file("README.md", readme.replaceAll("{target}", target)),
    ...below("bin", [exe]),
    ...licenceFiles(),
    third,
  ];
  write(out, platformPackage(target), below("package", packed));
}

/** The program of a target; another one than was meant is found here, and not by users. */
function program(target, binary) {
  const { os, cpu } = targets[target];
  const data = readFileSync(binary);
  const [wanted, found] = [`${os} ${cpu}`, madeFor(data)];
  if (found !== wanted) throw new Error(`${binary} is a program for ${found ?? "nothing known"}, not for ${wanted}`);
  if (target === host) {
    const said = execFileSync(resolve(binary), ["--version"], { encoding: "utf8" }).trim();
    const wanted = `sexton ${version()}`;
    if (said !== wanted) throw new Error(`${binary} says ${said}, and this is ${wanted}: build it again`);
  }
  return data;
}

function filesIn(directory) {
  const files = readdirSync(directory).filter((name) => statSync(join(directory, name)).isFile());
  if (files.length === 0) throw new Error(`${directory}: there are no files in it`);
  return files.map((name) => file(name, readFileSync(join(directory, name))));
}

/** What apps depend on: the package that finds the program of its platform, and the client. */
function packages({ out }) {
  const packed = artifacts(out);
  const there = Object.keys(targets).filter((target) => packed.includes(platformPackage(target)));
  if (there.length === 0) {
    throw new Error(`${out}: no platform of ${version()} is packed there yet; begin with --target`);
  }
  const { name, description, ...more } = JSON.parse(read("npm/sexton/package.json").toString());
  const optionalDependencies = Object.fromEntries(there.map((target) => [SCOPE + target, version()]));
  const manifest = { name, version: version(), description, ...more, optionalDependencies, ...PUBLISHED };
  const files = [
    file("package.json", json(manifest)),
    ...["README.md", "index.d.ts", "index.js"].map((path) => file(path, read(`npm/sexton/${path}`))),
    file("bin/sexton.js", read("npm/sexton/bin/sexton.js"), 0o755),
    ...licenceFiles(),
  ];
  write(out, `sexton-${version()}.tgz`, below("package", files));
  // What belongs to the client is said in its own package.json; npm's archives are the same each time as well.
  const npm = ["pack", "--silent", "--pack-destination", resolve(out)];
  execFileSync("npm", npm, { cwd: join(root, "clients/typescript"), stdio: ["ignore", "ignore", "inherit"] });
}

/** Everything that is released, by name. */
function artifacts(out) {
  return readdirSync(out).filter((name) => name.endsWith(".tgz") || name.endsWith(".tar.gz")).sort();
}

function write(out, name, files) {
  writeFileSync(join(out, name), archive(files));
}

function writeSums(out) {
  const sum = (name) => createHash("sha256").update(readFileSync(join(out, name))).digest("hex");
  writeFileSync(join(out, "SHA256SUMS"), artifacts(out).map((name) => `${sum(name)}  ${name}\n`).join(""));
}

function main() {
  const text = { type: "string" };
  const options = { out: text, target: text, binary: text, completions: text, packages: { type: "boolean" } };
  const { values } = parseArgs({ options });
  const one = values.target !== undefined && values.binary !== undefined && values.packages === undefined;
  const all = values.packages === true && (values.target ?? values.binary ?? values.completions) === undefined;
  if (values.out === undefined || !(one || all)) {
    const ways = "(--target NAME --binary FILE [--completions DIR] | --packages)";
    throw new Error(`usage: node npm/pack.mjs --out DIR ${ways}`);
  }
  if (one && !Object.hasOwn(targets, values.target)) {
    throw new Error(`${values.target} is no target; these are: ${Object.keys(targets).join(", ")}`);
  }
  mkdirSync(values.out, { recursive: true });
  if (one) platform(values);
  else packages(values);
  writeSums(values.out);
}

try {
  main();
} catch (error) {
  console.error(`pack: ${error.message}`);
  process.exitCode = 2;
}
