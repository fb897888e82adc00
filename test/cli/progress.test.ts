import { join } from "node:path";

import { expect, test } from "vitest";

import { knowbe4 } from "../../src/cli/main.js";
import { account, DEFAULTS, truth, type Account } from "./support/account.js";
import { fakeIo, within } from "./support/io.js";
import { run } from "./support/program.js";

/** What a person sees of a run: a view that redraws itself on a terminal, lines anywhere else. */

/** What a terminal shows at the end, line by line, and everything it ever showed. */
function screen(text: string): readonly string[] {
  const shown: string[] = [];
  // Lines are written whole; the view goes up some lines and clears from there.
  for (const piece of text.split(/(\u001b\[\d+A\u001b\[0J)/)) {
    const up = /^\u001b\[(\d+)A/.exec(piece)?.[1];
    if (up !== undefined) shown.splice(shown.length - Number(up));
    else shown.push(...plain(piece).split("\n").slice(0, -1));
  }
  return shown;
}

const plain = (text: string): string => text.replaceAll(/\u001b\[\d*m/g, "");

async function onTerminal(a: Account, columns: number, args: readonly string[] = []) {
  const io = fakeIo({ columns });
  const destination = { path: join(a.cwd, "knowbe4.duckdb") };
  const config = a.config({ destination });
  const code = await within(knowbe4, ["sync", "--config", config, ...args], io);
  return { code, text: io.err() };
}

/** Cells of the closing table, by stream. */
function closing(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const head = lines.findLastIndex((line) => line.startsWith("stream "));
  const rows = lines.slice(head + 1).map((line) => line.trim().split(/ {2,}/));
  return new Map(rows.map(([name = "", ...cells]) => [name, cells]));
}

test("on a terminal the view redraws itself and leaves the closing table behind", async () => {
  const a = await account({ latencyMs: 15 });

  const { code, text } = await onTerminal(a, 100);

  expect(code).toBe(0);
  expect(text.match(/\u001b\[\d+A\u001b\[0J/g)?.length).toBeGreaterThan(DEFAULTS.length);
  expect(plain(text)).toMatch(/✓ users +30 rows +1 request +[\d.]+ s$/m);
  const left = screen(text);
  expect(left.filter((line) => /^[✓›]/.test(line))).toEqual([]);
  expect(left.at(1)).toMatch(/^stream +rows +planned +requests +retries +time/);
  expect(left.at(-1)).toMatch(/Z [\d,]+ rows committed to .*knowbe4.duckdb$/);
});

test("a terminal that does not know its size gets whole lines", async () => {
  const a = await account({ latencyMs: 15 });

  const { text } = await onTerminal(a, 0);

  expect(plain(text)).toMatch(/✓ users +30 rows +1 request +[\d.]+ s$/m);
});

test("no line of the view is wider than the terminal", async () => {
  const a = await account({ latencyMs: 15 });

  const { text } = await onTerminal(a, 40);

  const view = plain(text)
    .split(/\u001b\[\d+A\u001b\[0J|\n/)
    .filter((line) => /^[✓›! -] \w+_?\w* +\d/.test(line));
  expect(view.length).toBeGreaterThan(12);
  for (const line of view) expect(line.length).toBeLessThan(40);
});

test("a warning scrolls by above the view and stays", async () => {
  const a = await account();
  const value = { json: "green" };
  const fault = { kind: "field", field: "colour", value } as const;
  a.simulator.addFault({ match: { stream: "policies" }, times: Infinity, fault });

  const { code, text } = await onTerminal(a, 100);

  expect(code).toBe(0);
  expect(screen(text).filter((line) => line.includes("colour"))).toEqual([
    expect.stringMatching(/Z warning: policies: /),
  ]);
});

test("a failure on a terminal is the last line, below the table", async () => {
  const a = await account();
  const fault = { kind: "status", status: 403 } as const;
  a.simulator.addFault({ match: { stream: "policies" }, times: Infinity, fault });

  const { code, text } = await onTerminal(a, 100);

  expect(code).toBe(3);
  expect(screen(text).at(-1)).toMatch(/^knowbe4: policies: GET .* answered 403/);
  expect(closing(screen(text)).get("policies")?.at(-1)).toBe("failed");
});

test.each([
  ["--log-level", "silent"],
  ["--log-format", "json"],
])("with %s %s a terminal gets no view", async (...args) => {
  const a = await account();

  const { code, text } = await onTerminal(a, 100, args);

  expect(code).toBe(0);
  expect(text).not.toContain("\u001b");
  expect(text).not.toContain("stream ");
  for (const line of text.split("\n").slice(0, -1)) expect(() => JSON.parse(line)).not.toThrow();
});

test("on a pipe there is a line per stream, and a table of rows, requests, retries and time", async () => {
  const a = await account({ tests: 4 });
  const fault = { kind: "status", status: 503, headers: { "retry-after": "0" } } as const;
  a.simulator.addFault({ match: { stream: "policies" }, fault });

  const { code, stdout, stderr, errors } = await run("knowbe4", ["sync", "--config", a.config()], {
    cwd: a.cwd,
  });

  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).not.toContain("\u001b");
  for (const stream of DEFAULTS) {
    expect(errors.filter((line) => line.includes(`Z ${stream}: `))).toHaveLength(1);
  }
  expect(stderr).toMatch(/Z policies: 4 rows in 2 requests, 1 retry, [\d.]+ s\n/);
  const table = closing(errors.slice(0, -1));
  expect([...table.keys()].toSorted()).toEqual([...DEFAULTS, "total"].toSorted());
  for (const stream of DEFAULTS) {
    const [rows, , requests, , time, status] = table.get(stream) ?? [];
    expect(rows, stream).toBe(truth(a, stream).length.toLocaleString("en-US"));
    expect(Number(requests), stream).toBeGreaterThanOrEqual(stream === "group_members" ? 0 : 1);
    expect(time).toMatch(/^\d+\.\d s$/);
    expect(status).toBe("complete");
  }
  // One request was planned; the fault took another.
  expect(table.get("policies")?.slice(0, 4)).toEqual(["4", "1", "2", "1"]);
  expect(Number(table.get("total")?.[2])).toBe(a.simulator.requestCount);
});

test("a long wait is told", async () => {
  const a = await account();
  const fault = { kind: "status", status: 429, headers: { "retry-after": "6" } } as const;
  a.simulator.addFault({ match: { stream: "policies" }, fault });
  const io = fakeIo();
  const config = a.config({ destination: { path: join(a.cwd, "knowbe4.duckdb") } });
  let skipped = 0;
  const hurried = {
    ...io.clock,
    monotonic: () => io.clock.monotonic() + skipped,
    sleep: async (ms: number) => {
      skipped += ms;
    },
  };

  const code = await within(knowbe4, ["sync", "--config", config, "--streams", "policies"], {
    ...io,
    clock: hurried,
  });

  expect(code).toBe(0);
  expect(io.err()).toMatch(/Z waiting 6\.0 s: KnowBe4 asks for a pause\n/);
});
