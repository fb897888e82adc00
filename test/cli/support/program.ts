import { spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";

import { onTestFinished } from "vitest";

import { installed } from "./installed.js";

/** The two programs of the package. */
export type Bin = "knowbe4" | "tap-knowbe4";

/** How a program is started. Of the machine's environment it gets only where programs are. */
export interface Start {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** All of standard input, which is closed after it; null leaves it open. */
  readonly stdin?: string | null;
}

/** A program that is over. */
export interface Ended {
  /** As a shell gives it: 128 and the signal's number for a program that a signal ended. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Lines of stderr. */
  readonly errors: readonly string[];
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** A program that runs. */
export interface Running {
  readonly child: Child;
  readonly ended: Promise<Ended>;
  /** Waits until there was so much of it on stderr, however long ago it came. */
  said(pattern: RegExp, times?: number): Promise<string>;
  /** The same on stdout. */
  wrote(pattern: RegExp, times?: number): Promise<string>;
}

/** Words that run one of our programs, for a shell or a spawn. */
function command(bin: Bin): readonly [string, string] {
  return [process.execPath, join(installed(), "dist/bin", `${bin}.js`)];
}

/** Starts a program; it is ended with the test at the latest. */
export function start(bin: Bin, args: readonly string[], options: Start = {}): Running {
  const [node, script] = command(bin);
  return watch(node, [script, ...args], options);
}

/** Starts a line of shell, in which `$KNOWBE4` and `$TAP` are our programs. */
export function startShell(line: string, options: Start = {}): Running {
  const env = { ...options.env, KNOWBE4: command("knowbe4")[1], TAP: command("tap-knowbe4")[1] };
  return watch("sh", ["-c", line], { ...options, env: { ...env, NODE: process.execPath } });
}

/** Runs a program to its end. */
export function run(bin: Bin, args: readonly string[], options: Start = {}): Promise<Ended> {
  return start(bin, args, options).ended;
}

/** Waits until something outside of this process has come about. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await setTimeout(5);
}

/** An empty folder that lasts as long as the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "knowbe4-test-"));
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

const NUMBERS: Readonly<Record<string, number>> = {
  SIGINT: 2,
  SIGKILL: 9,
  SIGPIPE: 13,
  SIGTERM: 15,
};

function watch(file: string, args: readonly string[], { cwd, env, stdin }: Start): Running {
  const PATH = process.env["PATH"] ?? "";
  const child = spawn(file, [...args], { cwd, env: { PATH, ...env }, stdio: "pipe" });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  // Who does not read its input is not at fault.
  child.stdin.on("error", () => undefined);
  if (stdin !== null) child.stdin.end(stdin ?? "");
  const [out, err] = [gathered(child.stdout), gathered(child.stderr)];
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const [stdout, stderr] = [out.text(), err.text()];
      const errors = stderr.split("\n").filter((line) => line !== "");
      resolve({ code: code ?? 128 + (NUMBERS[signal ?? ""] ?? 0), stdout, stderr, errors });
    });
  });
  return { child, ended, said: err.matched, wrote: out.matched };
}

interface Gathered {
  text(): string;
  matched(pattern: RegExp, times?: number): Promise<string>;
}

function gathered(stream: Readable): Gathered {
  let text = "";
  const waiting = new Set<() => void>();
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text += chunk;
    for (const wake of waiting) wake();
  });
  stream.on("close", () => {
    for (const wake of waiting) wake();
  });
  return {
    text: () => text,
    matched: (pattern, times = 1) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = text.match(new RegExp(pattern, "g"))?.[times - 1];
          if (found === undefined && !stream.closed) return;
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`${String(pattern)} never came, but this:\n${text}`));
        };
        waiting.add(look);
        look();
      }),
  };
}
