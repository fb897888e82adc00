import { join } from "node:path";

import {
  startSimulator,
  type SimulatedAccount,
  type SimulatorOptions,
  type StreamName,
} from "../src/simulator/index.js";
import type { StreamDef } from "../src/core/stream.js";
import { STREAMS } from "../streams/index.js";
import { measure } from "./support/children.js";
import { temporaryFolder } from "./support/folder.js";
import { KNOWBE4, settingsFor, TAP } from "./support/programs.js";
import type { Figure } from "./support/report.js";

type Paging = "cursor" | "page";

const TARGET = 1.05;
const PAGE_ROWS = 500;

const ACCOUNTS: readonly { readonly users: number; readonly paging: Paging }[] = [
  { users: 200, paging: "cursor" },
  { users: 1_000, paging: "cursor" },
  { users: 5_000, paging: "cursor" },
  { users: 1_000, paging: "page" },
];

/** Requests of a first run of the default streams, against the fewest that can read the same. */
export async function requests(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const { users, paging } of ACCOUNTS) {
    await using simulator = await startSimulator({ users, paging });
    await using folder = await temporaryFolder();
    const settings = settingsFor(simulator.url, simulator.apiKey);
    await measure([TAP, "--config", await folder.write("config.json", settings)]);
    const fewest = fewestRequests(simulator.account, paging);
    const ratio = simulator.requestCount / fewest;
    figures.push({
      what: `Requests of a first run, ${users.toLocaleString("en-US")} people, paged by ${paging === "page" ? "number" : "cursor"}`,
      measured: `${ratio.toFixed(3)} (${simulator.requestCount} of ${fewest})`,
      target: `≤ ${TARGET.toFixed(2)}`,
      isMet: ratio <= TARGET,
    });
  }
  for (const paging of ["cursor", "page"] as const) {
    for (const users of [500, 5_000, 50_000]) figures.push(...(await laterRuns(users, paging)));
  }
  return figures;
}

/** Most requests that later runs may take of a first one's. */
const LATER = { unchanged: { page: 0.07, cursor: 0.056 }, ordinary: 0.14 } as const;

/** The account that these shares are about. */
const JUDGED = 5_000;

/** Requests of the runs after the first one: when nothing has changed, and on a day with a new test. */
async function laterRuns(users: number, paging: Paging): Promise<readonly Figure[]> {
  const options = { users, tests: 60, trainingCampaigns: 23, paging } as const;
  const days = await daysToNextTest(options);
  await using simulator = await startSimulator(options);
  await using folder = await temporaryFolder();
  const settings = settingsFor(simulator.url, simulator.apiKey);
  const destination = { path: join(folder.path, "later.duckdb") };
  const sync = await folder.write("sync.json", { ...settings, destination });
  const run = async (): Promise<number> => {
    const before = simulator.requestCount;
    await measure([KNOWBE4, "sync", "--config", sync]);
    return simulator.requestCount - before;
  };
  const first = await run();
  const unchanged = await run();
  simulator.advance(days - 1);
  await run();
  simulator.advance(1);
  const ordinary = await run();
  const of = (kind: string, requests: number, most: number): Figure => ({
    what: `Requests of ${kind}, ${users.toLocaleString("en-US")} seats by ${paging === "page" ? "number" : "cursor"}, of the first run's`,
    measured: `${((requests / first) * 100).toFixed(1)} % (${requests} of ${first})`,
    target: users === JUDGED ? `≤ ${(most * 100).toFixed(1)} %` : "none",
    isMet: users !== JUDGED || requests / first <= most,
  });
  return [
    of("an unchanged account", unchanged, LATER.unchanged[paging]),
    of("a day with a new test", ordinary, LATER.ordinary),
  ];
}

/** Days until the next test starts: the schedule does not depend on the number of people. */
async function daysToNextTest(options: SimulatorOptions): Promise<number> {
  await using small = await startSimulator({ ...options, users: 30 });
  const count = () => [...small.account.rows("security_tests")].length;
  const before = count();
  while (count() === before) small.advance(1);
  return small.account.day;
}

/** What somebody would need who knew before how long every listing is. */
function fewestRequests(account: SimulatedAccount, paging: Paging): number {
  let sum = 0;
  for (const def of STREAMS.filter((stream) => stream.selectedByDefault !== false)) {
    for (const rows of listingsOf(account, def)) sum += pages(def, rows, paging);
  }
  return sum;
}

/** By number, only an empty page says that a listing is over; by cursor, the last page says so. */
function pages({ listing }: StreamDef, rows: number, paging: Paging): number {
  if (listing === "object" || listing === "whole") return 1;
  const full = Math.ceil(rows / PAGE_ROWS);
  return paging === "page" ? full + 1 : Math.max(1, full);
}

/** Rows of each listing that must be read for a stream. */
function listingsOf(account: SimulatedAccount, def: StreamDef): readonly number[] {
  const { parent, derive } = def;
  const rows = account.rows(nameOf(def));
  if (parent === undefined) return [count(rows)];
  const [[param, field] = ["", ""]] = Object.entries(parent.bind);
  const below = countBy(rows, (row) => row[param]);
  const parents = [...account.rows(nameOf(parent.stream))];
  if (derive === undefined) return parents.map((row) => below.get(row[field]) ?? 0);
  const listed = new Map<unknown, number>();
  for (const row of account.rows(nameOf(derive.stream))) {
    const keys = row[derive.list];
    if (!Array.isArray(keys) || row[derive.except.field] === derive.except.value) continue;
    for (const key of keys) listed.set(key, (listed.get(key) ?? 0) + 1);
  }
  return parents
    .filter((row) => row[derive.count] !== (listed.get(row[field]) ?? 0))
    .map((row) => below.get(row[field]) ?? 0);
}

function countBy<T>(items: Iterable<T>, keyOf: (item: T) => unknown): Map<unknown, number> {
  const counts = new Map<unknown, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

function count(items: Iterable<unknown>): number {
  return countBy(items, () => "").get("") ?? 0;
}

function nameOf({ name }: StreamDef): StreamName {
  return name as StreamName;
}
