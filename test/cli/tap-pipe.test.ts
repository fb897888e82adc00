import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { tapKnowbe4 } from "../../src/cli/tap.js";
import { account, DEFAULTS, keyOf, lines, truth, type Account } from "./support/account.js";
import { fakeIo, within } from "./support/io.js";
import { lastState, messagesIn, recordsOf, type Message } from "./support/messages.js";
import { run, start, startShell, until } from "./support/program.js";

/** The tap between a server and a reader that stop, stall, lag behind or go. */

/** Recipients of the first tests are answered, those of later ones never. */
function stalling(a: Account, after: number): void {
  const ids = truth(a, "security_tests").map((row) => row["pst_id"] as number);
  const path = new RegExp(`/(${ids.slice(after).join("|")})/recipients`);
  const fault = { kind: "stall", after: "headers" } as const;
  a.simulator.addFault({ match: { path }, times: Infinity, fault });
}

/** Rows that a target which merges by key holds, against the account's. */
function expectTruth(a: Account, ...runs: readonly (readonly Message[])[]): void {
  for (const stream of DEFAULTS) {
    const rows = runs.flatMap((messages) => recordsOf(messages, stream));
    const held = new Map(rows.map((row) => [keyOf(stream)(row), row]));
    expect(lines([...held.values()]), stream).toEqual(lines(truth(a, stream)));
  }
}

async function goOn(a: Account, cut: string) {
  const messages = messagesIn(cut.slice(0, cut.lastIndexOf("\n") + 1));
  const state = join(a.cwd, "state.json");
  writeFileSync(state, JSON.stringify(lastState(messages)));
  a.simulator.clearFaults();
  const before = a.simulator.requests.length;
  const { code, stdout } = await run("tap-knowbe4", ["--config", a.config(), "--state", state]);
  const requests = a.simulator.requests.slice(before);
  return { code, first: messages, second: messagesIn(stdout), requests };
}

test("after a signal the last state goes on where the run was stopped", async () => {
  const a = await account({ tests: 8 });
  stalling(a, 4);
  const tap = start("tap-knowbe4", ["--config", a.config(), "--log-level", "debug"]);
  await tap.said(/recipients 200/, 4);
  tap.child.kill("SIGTERM");
  const ended = await tap.ended;

  const { code, first, second, requests } = await goOn(a, ended.stdout);

  expect(ended.code).toBe(143);
  expect(ended.errors.at(-1)).toMatch(/^tap-knowbe4: (\w+: )?stopped by SIGTERM/);
  expect(code).toBe(0);
  expectTruth(a, first, second);
  expect(requests.filter((r) => r.stream === "security_test_recipients")).toHaveLength(4);
});

test("after a kill the last state that got out goes on to the truth", async () => {
  const a = await account({ tests: 8 });
  stalling(a, 4);
  const tap = start("tap-knowbe4", ["--config", a.config(), "--log-level", "debug"]);
  await tap.said(/recipients 200/, 4);
  tap.child.kill("SIGKILL");
  const ended = await tap.ended;

  const { code, first, second } = await goOn(a, ended.stdout);

  expect([ended.code, code]).toEqual([137, 0]);
  expectTruth(a, first, second);
});

test("a reader that goes after the first line ends the tap without a word", async () => {
  const a = await account({ users: 600 });

  const { stdout, stderr } = await startShell(
    `{ $NODE $TAP --config ${a.config()} --log-level warning; echo "status $?" >&2; } | head -n 1`,
  ).ended;

  expect(messagesIn(stdout).map((m) => m.type)).toEqual(["STATE"]);
  expect(stderr).toBe("status 141\n");
  expect(a.simulator.requestCount).toBeLessThan(15);
});

test("a reader that lags behind holds the tap up, and gets every line", async () => {
  const a = await account({ users: 600 });
  const io = fakeIo({ slow: true });

  const code = await within(tapKnowbe4, ["--config", a.config(), "--log-level", "silent"], io);

  expect(code).toBe(0);
  expectTruth(a, messagesIn(io.out()));
  expect(io.out().length).toBeGreaterThan(1e6);
  // A page at most, which is made while the one before is taken.
  expect(io.most()).toBeLessThan(200_000);
});

test("a slow reader at the end of a real pipe gets every line", async () => {
  const a = await account({ users: 600 });
  const reader = `for await (const chunk of process.stdin) {
    process.stdout.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }`;

  const { stdout } = await startShell(
    `$NODE $TAP --config ${a.config()} | $NODE --input-type=module -e '${reader}'`,
  ).ended;

  expectTruth(a, messagesIn(stdout));
});

test("two signals end a tap whose reader takes nothing any more", async () => {
  const a = await account({ users: 2_000 });
  const tap = start("tap-knowbe4", ["--config", a.config(), "--log-level", "debug"]);
  tap.child.stdout.pause();
  // More than the state that it starts with: rows, of which the pipe holds a part.
  await until(() => tap.child.stdout.readableLength > 20_000);

  tap.child.kill("SIGTERM");
  await tap.said(/SIGTERM: stopping after what is on its way; once more to stop at once/);
  tap.child.kill("SIGTERM");
  tap.child.stdout.resume();

  expect((await tap.ended).code).toBe(143);
});
