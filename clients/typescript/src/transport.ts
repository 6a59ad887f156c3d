/** Where a sidecar is: a child process, or streams that somebody else has opened. */

import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { type SidecarEnd, SidecarUnavailableError } from "./errors.js";
import { program } from "./program.js";

/** The pipes to one sidecar. */
export interface Transport {
  /** What the sidecar writes. */
  readonly output: Readable;
  /** What it reads. */
  readonly input: Writable;
  /** The process, where this client has started one. */
  readonly pid: number | null;
  /** How it ended, when it has. */
  readonly ended: Promise<SidecarEnd>;
  /** Ends it without asking. */
  kill(): void;
}

/** Which program is the sidecar, and with what it is started. */
export interface Command {
  /**
   * Else `SEXTON_BIN` in the environment of this process, else what the package `sexton` has installed for this app,
   * else `sexton` in the search path.
   */
  readonly command?: string | undefined;
  /** @default ["--stdio"] */
  readonly args?: readonly string[] | undefined;
  /** The working directory of the sidecar. */
  readonly cwd?: string | undefined;
  /** Its environment; that of this process if it is absent. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Is told each line of its log, without the line's end. */
  readonly onLog?: ((line: string) => void) | undefined;
}

/** What is kept of the log, in characters, so that errors can say it. */
const LOG_KEPT = 4096;

/** The longest line of a log that is told as one, in characters: a log without line ends must not be kept whole. */
const LINE_KEPT = 65_536;

/** How long the last lines of the log are waited for when a sidecar has ended. */
const LAST_WORDS_MS = 200;

/** Starts a sidecar. */
export async function start(command: Command): Promise<Transport> {
  const path = command.command ?? (await program());
  const child = spawn(path, command.args ?? ["--stdio"], {
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.env === undefined ? {} : { env: command.env }),
  });
  const log = new Log(command.onLog);
  child.stderr.setEncoding("utf8").on("data", (text: string) => log.add(text));
  const ended = new Promise<SidecarEnd>((resolve) => {
    child.once("exit", (exitCode, signal) => {
      const end = () => {
        clearTimeout(patience);
        log.end();
        resolve({ exitCode, signal, log: log.tail });
      };
      // Where the program was a script, what it has started is still there and reads.
      child.stdin.destroy();
      // Processes that end what the sidecar has left running may still write to its log.
      const patience = setTimeout(end, LAST_WORDS_MS);
      child.stderr.once("close", end);
    });
  });
  await started(child, path);
  return { output: child.stdout, input: child.stdin, pid: child.pid ?? null, ended, kill: () => child.kill("SIGKILL") };
}

function started(child: ChildProcess, path: string): Promise<void> {
  const ways =
    "have the app depend on the package sexton, name a program with `command` or SEXTON_BIN, or install one in the " +
    "search path";
  return new Promise((resolve, reject) => {
    child.once("spawn", resolve);
    child.on("error", (cause) => {
      reject(new SidecarUnavailableError(`${path} cannot be started (${cause.message}); ${ways}`, { cause }));
    });
  });
}

/** Streams to a sidecar that somebody else has started; when they end, that was it. */
export function overStreams({ output, input }: { output: Readable; input: Writable }): Transport {
  const ended = new Promise<SidecarEnd>((resolve) => {
    const end = () => resolve({ exitCode: null, signal: null, log: "" });
    output.once("close", end).once("end", end).once("error", end);
  });
  const kill = () => {
    output.destroy();
    input.destroy();
  };
  return { output, input, pid: null, ended, kill };
}

class Log {
  readonly #onLine: ((line: string) => void) | undefined;
  #line = "";
  tail = "";

  constructor(onLine: ((line: string) => void) | undefined) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    this.tail = (this.tail + text).slice(-LOG_KEPT);
    if (this.#onLine === undefined) return;
    const lines = (this.#line + text).split("\n");
    this.#line = (lines.pop() ?? "").slice(-LINE_KEPT);
    for (const line of lines) this.#onLine(line);
  }

  end(): void {
    if (this.#line !== "") this.#onLine?.(this.#line);
    this.#line = "";
  }
}
