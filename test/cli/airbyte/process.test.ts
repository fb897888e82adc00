import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { sourceKnowbe4 } from "../../../src/cli/airbyte/program.js";
import {
  checked,
  errorsOf,
  kept,
  logged,
  recordsOf,
  statesOf,
  statusesOf,
} from "../../protocols/airbyte/protocol.js";
import { account, DEFAULTS, lines, truth, keyOf, type Account } from "../support/account.js";
import { fakeIo, within } from "../support/io.js";
import { folder, startShell } from "../support/program.js";
import {
  configured,
  file,
  read,
  readArgs,
  rowsOf,
  script,
  startSource,
  truthOf,
} from "./support.js";

/** The source as a process: between a platform's signals, a server that stalls and a slow reader. */

const RECIPIENTS = "security_test_recipients";

/** Recipients of the first tests are answered, those of later ones never. */
function stalling(a: Account, after: number): void {
  a.simulator.addFault({
    match: { stream: RECIPIENTS, nth: after + 1 },
    times: Infinity,
    fault: { kind: "stall", after: "headers" },
  });
}

/** A read that has got as far as it will. */
async function stalled(a: Account) {
  stalling(a, 3);
  const args = readArgs(a, {
    streams: ["users", RECIPIENTS, "enrollments"],
    // Longer than the test may take: what ends the process is the signal.
    settings: { concurrency: 1, request_timeout: 300 },
    args: ["--debug"],
  });
  const running = startSource(args);
  await running.wrote(/(recipients 200[^]*){3}/);
  return running;
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s: the last state goes out, streams are incomplete, and the signal ends the process",
  async (signal) => {
    const a = await account({ tests: 8, users: 5 });
    const running = await stalled(a);

    running.child.kill(signal);
    const { stdout, stderr } = await running.ended;

    const { exitCode, signalCode } = running.child;
    expect([exitCode, signalCode]).toEqual([null, signal]);
    const messages = checked(stdout);
    expect(statusesOf(messages, "users")).toEqual(["STARTED", "RUNNING", "COMPLETE"]);
    expect(statusesOf(messages, RECIPIENTS)).toEqual(["STARTED", "RUNNING", "INCOMPLETE"]);
    expect(statusesOf(messages, "enrollments")).toEqual(["STARTED", "INCOMPLETE"]);
    const last = statesOf(messages, RECIPIENTS).at(-1);
    expect(Object.keys(last?.stream.stream_state["bookmark"].parts)).toHaveLength(3);
    expect(last?.sourceStats.recordCount).toBe(recordsOf(messages, RECIPIENTS).length);
    expect(logged(messages, "WARN")).toEqual([`${signal}: stopping after what is on its way`]);
    for (const error of errorsOf(messages)) expect(error.failure_type).toBe("transient_error");
    expect(stderr).toBe("");
  },
);

test("after SIGTERM the next run goes on from the last state to all there is", async () => {
  const a = await account({ tests: 8, users: 5 });
  const running = await stalled(a);
  running.child.kill("SIGTERM");
  const first = checked((await running.ended).stdout);
  a.simulator.clearFaults();
  const before = a.simulator.requests.length;

  const { code, messages } = await read(a, {
    streams: ["users", RECIPIENTS, "enrollments"],
    state: kept(first),
  });

  expect(code).toBe(0);
  const rows = [...rowsOf(first, RECIPIENTS), ...rowsOf(messages, RECIPIENTS)].toSorted();
  expect(rows).toEqual(truthOf(a, RECIPIENTS));
  const again = a.simulator.requests.slice(before).filter((r) => r.stream === RECIPIENTS);
  expect(again).toHaveLength(5);
});

test("a kill loses nothing that the next run does not bring, and cuts no line that came whole", async () => {
  const a = await account({ tests: 8, users: 5 });
  const running = await stalled(a);
  running.child.kill("SIGKILL");
  const { stdout } = await running.ended;
  a.simulator.clearFaults();

  const first = checked(stdout.slice(0, stdout.lastIndexOf("\n") + 1));
  const { messages } = await read(a, { streams: [RECIPIENTS], state: kept(first) });

  const rows = [first, messages].flatMap((run) => recordsOf(run, RECIPIENTS).map((r) => r.data));
  const held = new Map(rows.map((row) => [keyOf(RECIPIENTS)(row), row]));
  expect(lines([...held.values()])).toEqual(lines(truth(a, RECIPIENTS)));
});

test("a second signal ends a run at once whose reader takes nothing any more", async () => {
  const a = await account({ users: 2_000, tests: 2 });
  const running = startSource(readArgs(a, { streams: ["users"] }));
  await running.wrote(/RECORD/);
  running.child.stdout.pause();
  // Nobody can say that it was heard while nobody reads: so until it is over, again and again.
  const again = setInterval(() => running.child.kill("SIGTERM"), 50);
  await once(running.child, "exit");
  clearInterval(again);
  running.child.stdout.resume();

  await running.ended;

  expect([running.child.exitCode, running.child.signalCode]).toEqual([null, "SIGTERM"]);
});

test("a reader that goes after the first line ends the source without a word", async () => {
  const a = await account({ users: 600 });
  const args = readArgs(a, { streams: DEFAULTS }).join(" ");

  const { stdout, stderr } = await startShell(
    `{ $NODE $SOURCE ${args}; echo "status $?" >&2; } | head -n 1`,
    { env: { SOURCE: script() } },
  ).ended;

  expect(checked(stdout)).toHaveLength(1);
  expect(stderr).toBe("status 141\n");
  expect(a.simulator.requestCount).toBeLessThan(15);
});

test.each(["spec", "discover"])("%s is quiet to a reader that is not there", async (command) => {
  const { stderr } = await startShell(`{ sleep 0.2; $NODE $SOURCE ${command}; } | true`, {
    env: { SOURCE: script() },
  }).ended;

  expect(stderr).toBe("");
});

test("a reader that lags behind holds the source up, and gets every line", async () => {
  const a = await account({ users: 600 });
  const io = fakeIo({ slow: true });

  const code = await within(sourceKnowbe4, readArgs(a, { streams: DEFAULTS }), io);

  expect(code).toBe(0);
  const messages = checked(io.out());
  for (const stream of DEFAULTS) {
    expect(rowsOf(messages, stream), stream).toEqual(truthOf(a, stream));
  }
  expect(io.out().length).toBeGreaterThan(1e6);
  // A page at most, which is made while the one before is taken.
  expect(io.most()).toBeLessThan(200_000);
});

test("a slow reader at the end of a real pipe gets every line, the last one too", async () => {
  const a = await account({ users: 600 });
  const reader = `for await (const chunk of process.stdin) {
    process.stdout.write(chunk);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }`;
  const args = readArgs(a, { streams: [...DEFAULTS, "no_such_stream"] }).join(" ");

  const { stdout } = await startShell(
    `$NODE $SOURCE ${args} | $NODE --input-type=module -e '${reader}'`,
    { env: { SOURCE: script() } },
  ).ended;

  const messages = checked(stdout);
  for (const stream of DEFAULTS) {
    expect(rowsOf(messages, stream), stream).toEqual(truthOf(a, stream));
  }
  expect(statusesOf(messages, "no_such_stream")).toEqual(["INCOMPLETE"]);
});

test("any folder will do, without a home, with warnings on, and nothing but messages is on stdout", async () => {
  const a = await account({ users: 3, tests: 1 });
  const catalog = file(a, "catalog.json", configured(["users"]));
  const env = {
    SOURCE: script(),
    NODE_DEBUG: "http,net",
    NODE_OPTIONS: "--trace-warnings",
    HOME: join(a.cwd, "nobody"),
  };

  for (const command of ["spec", "discover", "check", "read"]) {
    const args = command === "read" ? `--catalog ${catalog}` : "";
    const config = command === "spec" ? "" : `--config ${a.config()}`;
    const { code, stdout } = await startShell(`exec $NODE $SOURCE ${command} ${config} ${args}`, {
      cwd: folder(),
      env,
    }).ended;

    expect(code, command).toBe(0);
    expect(checked(stdout).length, command).toBeGreaterThan(0);
  }
});

test("a bug is one error trace on stdout, and its stack is on stderr", async () => {
  const a = await account({ users: 3, tests: 1 });
  const broken = join(folder(), "broken.mjs");
  // An object that no code of ours expects.
  const trap = `new Proxy({}, { ownKeys() { throw new RangeError("canary"); } })`;
  writeFileSync(broken, `JSON.parse = () => ${trap};`);
  const args = readArgs(a, { streams: ["users"] });

  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", broken, script(), ...args],
    { encoding: "utf8", timeout: 50_000 },
  );

  expect(status).toBe(1);
  expect(errorsOf(checked(stdout))).toMatchObject([
    { failure_type: "system_error", message: expect.stringMatching(/^unexpected RangeError/) },
  ]);
  expect(stdout).not.toMatch(/canary|\\n\s+at /);
  expect(stderr).toMatch(/RangeError: canary\n\s+at /);
});
