import { readdirSync } from "node:fs";

import { expect } from "vitest";

import { KEY, type Account } from "./account.js";
import type { Ended } from "./program.js";

/** One line on stderr says what is wrong; nothing on stdout, no stack and no secret anywhere. */
export function expectOneLine(ended: Ended, code: number, line: string): void {
  expect({ code: ended.code, errors: ended.errors, stdout: ended.stdout }).toEqual({
    code,
    errors: [expect.stringContaining(line)],
    stdout: "",
  });
  expectDiscreet(ended);
}

/** However much is said, the failure itself is one line: the last of those that name the program. */
export function expectFailure(ended: Ended, code: number, line: string | RegExp): void {
  const failures = ended.errors.filter((text) => /^(tap-)?knowbe4: /.test(text));
  expect({ code: ended.code, failures }).toEqual({
    code,
    failures: [
      typeof line === "string" ? expect.stringContaining(line) : expect.stringMatching(line),
    ],
  });
  expectDiscreet(ended);
}

/** Neither a stack nor the key. */
export function expectDiscreet({ stdout, stderr }: Ended): void {
  expect(stderr).not.toMatch(/^\s+at |node:internal|\.js:\d+/m);
  expect(stdout + stderr).not.toContain(KEY);
}

/** The server was not asked, and there is nothing in the folder but configurations. */
export function expectUntouched(a: Account): void {
  expect(a.simulator.requestCount).toBe(0);
  expect(readdirSync(a.cwd).filter((name) => !name.endsWith(".json"))).toEqual([]);
}
