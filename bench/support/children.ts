import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

/** A file of the project, or of its build. */
export function pathTo(file: string): string {
  return fileURLToPath(new URL(file, ROOT));
}

/** What a Node program took. */
export interface Usage {
  readonly wallMs: number;
  /** User and system time of all its threads, in milliseconds. */
  readonly cpuMs: number;
  /** Most memory it ever held, in MiB. */
  readonly peakMiB: number;
}

/**
 * Loaded into the measured program: tells what it took, on descriptor 3, when it ends.
 *
 * Linux hands the parent's own peak on to `resourceUsage().maxRSS` of a child; VmHWM starts anew.
 */
const METER = `
import { readFileSync, writeSync } from "node:fs";
process.on("exit", () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  let peakKiB = maxRSS;
  try {
    peakKiB = Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
  } catch {}
  writeSync(3, JSON.stringify({ cpuMs: (userCPUTime + systemCPUTime) / 1000, peakMiB: peakKiB / 1024 }));
});`;

const METER_URL = `data:text/javascript,${encodeURIComponent(METER)}`;

/** Runs a Node program with its output to /dev/null. @throws Error if it does not end with 0. */
export async function measure(args: readonly string[]): Promise<Usage> {
  const { wallMs, told } = await run(["--import", METER_URL, ...args]);
  return { wallMs, ...(JSON.parse(told) as Omit<Usage, "wallMs">) };
}

/** Milliseconds from start to end of a Node program, nothing else loaded into it. */
export async function time(args: readonly string[]): Promise<number> {
  return (await run(args)).wallMs;
}

async function run(args: readonly string[]): Promise<{ wallMs: number; told: string }> {
  const startedAt = process.hrtime.bigint();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  const ended = once(child, "exit").then(([code]) => {
    return { code: code as number | null, at: process.hrtime.bigint() };
  });
  const [, , stderr, meter] = child.stdio;
  const [said, told, { code, at }] = await Promise.all([
    text(stderr as NodeJS.ReadableStream),
    text(meter as NodeJS.ReadableStream),
    ended,
  ]);
  if (code !== 0) throw new Error(`${args.join(" ")}: ended with ${String(code)}\n${said}`);
  return { wallMs: Number(at - startedAt) / 1e6, told };
}

/** The server of `bench/server.ts` in a process of its own. */
export interface PageServer extends AsyncDisposable {
  readonly url: string;
  /** Of the long listings, in the order in which they are read. */
  readonly paths: readonly string[];
}

/** Starts a server with an account of so many rows. */
export async function startServer(rows: number): Promise<PageServer> {
  return startProcess(["--import", "tsx", pathTo("bench/server.ts"), String(rows)]);
}

/** Starts a server that says where it is in its first line. */
export async function startProcess(args: readonly string[]): Promise<PageServer> {
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { url, paths } = JSON.parse(line) as { url: string; paths: string[] };
  return {
    url,
    paths,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}
