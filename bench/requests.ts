import { join } from "node:path";

import { startSimulator, type SimulatedAccount, type StreamName } from "../src/simulator/index.js";
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
  for (const users of [500, 5_000, 50_000]) figures.push(await nextRun(users));
  return figures;
}

/** Most requests that an unchanged account may take of a first run's, by cursor. Source: DESIGN §6. */
const NEXT_TARGET = 0.056;

/** Requests of a run in which nothing has changed, against those of the first one. */
async function nextRun(users: number): Promise<Figure> {
  const options = { users, tests: 60, trainingCampaigns: 23, paging: "cursor" } as const;
  await using simulator = await startSimulator(options);
  await using folder = await temporaryFolder();
  const settings = settingsFor(simulator.url, simulator.apiKey);
  const destination = { path: join(folder.path, "next.duckdb") };
  const sync = await folder.write("sync.json", { ...settings, destination });
  await measure([KNOWBE4, "sync", "--config", sync]);
  const first = simulator.requestCount;
  await measure([KNOWBE4, "sync", "--config", sync]);
  const next = simulator.requestCount - first;
  const isJudged = users === 5_000;
  return {
    what: `Requests of an unchanged account's next run, ${users.toLocaleString("en-US")} seats, of the first run's`,
    measured: `${((next / first) * 100).toFixed(1)} % (${next} of ${first})`,
    target: isJudged ? `≤ ${(NEXT_TARGET * 100).toFixed(1)} %` : "none",
    isMet: !isJudged || next / first <= NEXT_TARGET,
  };
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
