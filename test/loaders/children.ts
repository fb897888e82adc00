import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { onTestFinished } from "vitest";

import { withTests } from "../cli/support/installed.js";

/** What runs in it, and what that imports beside the program. */
const FILES = [
  new URL("child.ts", import.meta.url),
  new URL("halting.ts", import.meta.url),
  new URL("kills.ts", import.meta.url),
];

/** Another process. What it says comes line by line. */
export interface Child {
  /** All that it has said so far. */
  readonly said: readonly unknown[];
  /** The next thing that it says; fails if it ends without. */
  next(): Promise<unknown>;
  /** Lets it end, and waits for that. */
  end(): Promise<void>;
  /** Ends it as the system ends what takes too much memory, and waits for that. */
  kill(): Promise<void>;
}

/**
 * Starts `child.ts`.
 *
 * @param limits shell commands that come first.
 */
export function child(args: readonly string[], limits = ""): Child {
  // Without types already: there are hundreds of them, and reading types takes longer than they do.
  const script = withTests(FILES);
  const node = [process.execPath, script, ...args];
  const [command = "", ...rest] =
    limits === "" ? node : ["sh", "-c", `${limits}; exec "$@"`, "sh", ...node];
  const running = spawn(command, rest, { stdio: ["pipe", "pipe", "inherit"] });
  const said: unknown[] = [];
  const waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];
  let heard = 0;
  let isOver = false;
  const hand = (): void => {
    while (heard < said.length) {
      const first = waiting.shift();
      if (first === undefined) return;
      heard += 1;
      first.resolve(said[heard - 1]);
    }
    if (isOver) for (const { reject } of waiting.splice(0)) reject(new Error("it has ended"));
  };
  createInterface(running.stdout).on("line", (line) => {
    said.push(JSON.parse(line));
    hand();
  });
  const closed = new Promise<void>((resolve) => {
    running.on("close", () => {
      isOver = true;
      hand();
      resolve();
    });
  });
  running.stdin.on("error", () => undefined);
  const kill = async (): Promise<void> => {
    running.kill("SIGKILL");
    await closed;
  };
  onTestFinished(kill);
  return {
    said,
    next: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        hand();
      }),
    end: async () => {
      running.stdin.end();
      await closed;
    },
    kill,
  };
}
