import { join } from "node:path";

import { measure, pathTo, startProcess, startServer, type Usage } from "./support/children.js";
import { temporaryFolder } from "./support/folder.js";
import { KNOWBE4, LONG_STREAMS, settingsFor } from "./support/programs.js";
import type { Figure } from "./support/report.js";

const SIZES = [100_000, 1_000_000] as const;
const PEAK_MIB = 256;

/** What stands in a warehouse's place, and how it is reached. */
const WAREHOUSES = {
  BigQuery: {
    script: "bench/bigquery-sink.ts",
    destination: (url: string) => ({
      type: "bigquery",
      project: "bench-project",
      dataset: "knowbe4",
      api_endpoint: url,
    }),
  },
  Snowflake: {
    script: "bench/snowflake-sink.ts",
    destination: (url: string) => ({
      type: "snowflake",
      account: "bench",
      user: "loader",
      token: "bench",
      warehouse: "wh",
      database: "kb4",
      access_url: url,
    }),
  },
} as const;

/**
 * A first sync through the clients that are shipped, spooled and uploaded, to servers on this machine in
 * place of the warehouses: what the program itself takes, at two sizes of the account.
 */
export async function warehouses(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const name of Object.keys(WAREHOUSES) as (keyof typeof WAREHOUSES)[]) {
    for (const rows of SIZES) {
      const { peakMiB, cpuMs } = await first(name, rows);
      const size = `${rows.toLocaleString("en-US")} rows`;
      figures.push(
        {
          what: `${name}: peak memory at ${size}`,
          measured: `${peakMiB.toFixed(0)} MiB`,
          target: `≤ ${PEAK_MIB} MiB`,
          isMet: peakMiB <= PEAK_MIB,
        },
        {
          what: `${name}: processor seconds per million rows, at ${size}`,
          measured: ((cpuMs / 1000 / rows) * 1e6).toFixed(1),
        },
      );
    }
  }
  return figures;
}

async function first(name: keyof typeof WAREHOUSES, rows: number): Promise<Usage> {
  const { script, destination } = WAREHOUSES[name];
  await using account = await startServer(rows);
  await using sink = await startProcess(["--import", "tsx", pathTo(script)]);
  await using folder = await temporaryFolder();
  const config = await folder.write("config.json", {
    ...settingsFor(account.url, "none"),
    destination: { ...destination(sink.url), spool_dir: join(folder.path, "spool") },
  });
  return await measure([KNOWBE4, "sync", "--config", config, "--streams", LONG_STREAMS.join(",")]);
}
