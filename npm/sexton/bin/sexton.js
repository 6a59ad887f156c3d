#!/usr/bin/env node
"use strict";

const { spawn } = require("node:child_process");
const { binaryPath } = require("../index.js");

let program;
try {
  program = binaryPath();
} catch (error) {
  console.error(`sexton: ${error.message}`);
  process.exit(1);
}
// Before the program is started: whoever asks this process to end must not leave it behind.
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
// A terminal tells both processes. Told twice, the program would take it for impatience.
process.on("SIGINT", () => {});
const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });

child.on("error", (error) => {
  console.error(`sexton: ${program} cannot be started: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  // It ends as the program has ended, so that a shell sees the same.
  for (const handled of ["SIGTERM", "SIGHUP", "SIGINT"]) process.removeAllListeners(handled);
  process.kill(process.pid, signal);
});
