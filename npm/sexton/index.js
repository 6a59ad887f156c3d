"use strict";

const { join, dirname } = require("node:path");
const { version, optionalDependencies } = require("./package.json");

/** Where the programs are: one package for each platform, of which npm installs the one that fits. */
const SCOPE = "@sexton-bin/";

exports.binaryPath = function binaryPath() {
  const platform = `${process.platform}-${process.arch}`;
  const packages = Object.keys(optionalDependencies);
  const fitting = packages.filter((name) => `${name}-`.startsWith(`${SCOPE}${platform}-`));
  for (const name of fitting) {
    const found = manifest(name);
    if (found !== undefined) return join(dirname(found), require(found).sexton.program);
  }
  const otherwise = "or build it (cargo install sexton) and name it with SEXTON_BIN or `command` of sexton-client";
  if (fitting.length === 0) {
    const known = packages.map((name) => name.slice(SCOPE.length)).join(", ");
    const none = `sexton ${version} has no program for ${platform}, only for ${known}`;
    throw new Error(`${none}: use one of these, ${otherwise}`);
  }
  const missing = fitting.map((name) => `${name}@${version}`).join(" or ");
  throw new Error(
    `the program of sexton ${version} is in ${missing}, which is not installed. Install with optional dependencies ` +
      "(no --omit=optional, no --no-optional), and again without the lock file if that was made on another platform; " +
      `or install ${missing} itself; ${otherwise}`,
  );
};

/** The `package.json` of an installed package. */
function manifest(name) {
  try {
    return require.resolve(`${name}/package.json`);
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}
