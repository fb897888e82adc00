import { readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";

import { airbyte } from "./airbyte.js";
import { coldStart } from "./cold-start.js";
import { duckdb } from "./duckdb.js";
import { memory } from "./memory.js";
import { privacy } from "./privacy.js";
import { requests } from "./requests.js";
import { pathTo } from "./support/children.js";
import { markdownTable, type Figure } from "./support/report.js";
import { tap } from "./tap.js";
import { warehouses } from "./warehouses.js";

/*
 *   npm run bench                       all scenarios
 *   npm run bench -- tap cold-start     only these
 *   npm run bench -- --write            all, and the results go into docs/performance.md
 */

const SCENARIOS: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  tap,
  airbyte,
  privacy,
  duckdb,
  memory,
  warehouses,
  "cold-start": coldStart,
  requests,
};

const PAGE = pathTo("docs/performance.md");
const BEGIN = "<!-- results: written by `npm run bench -- --write` -->";
const END = "<!-- end of results -->";

const flags = process.argv.slice(2).filter((arg) => arg.startsWith("-"));
const named = process.argv.slice(2).filter((arg) => !arg.startsWith("-"));
const isWritten = flags.includes("--write");
const unknown = [
  ...flags.filter((flag) => flag !== "--write"),
  ...named.filter((name) => !(name in SCENARIOS)),
];
if (unknown.length > 0) {
  throw new Error(
    `${unknown.join(", ")}: give --write or any of ${Object.keys(SCENARIOS).join(", ")}`,
  );
}
if (isWritten && named.length > 0) throw new Error("--write: the page shows all scenarios");

const figures: Figure[] = [];
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (named.length > 0 && !named.includes(name)) continue;
  const startedAt = performance.now();
  figures.push(...(await scenario()));
  console.error(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

const table = markdownTable(figures);
console.log(`${table}\n\n${machine()}`);
if (isWritten) await write(`${machine()}\n\n${table}`);

/** The ratios depend on it a little, the absolute figures altogether. */
function machine(): string {
  const [cpu] = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  const { version, platform, arch } = process;
  return `Node ${version}, ${platform} ${arch}, ${cpus().length} × ${cpu?.model.trim() ?? "unknown"}, ${memoryGiB} GiB.`;
}

async function write(results: string): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error("docs/performance.md: the marks are gone");
  const before = page.slice(0, begin + BEGIN.length);
  await writeFile(PAGE, `${before}\n\n${results}\n\n${page.slice(end)}`);
}
