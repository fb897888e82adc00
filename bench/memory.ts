import { LONG_STREAMS, withPrograms } from "./support/programs.js";
import type { Figure } from "./support/report.js";

const SIZES = [50_000, 500_000, 2_000_000] as const;
const TAP_MIB = 128;
const DUCKDB_MIB = 400;

/** Memberships are the one thing that is held for the whole of a run: they belong to the test. */
const STREAMS = [...LONG_STREAMS, "group_members"] as const;

/** Peak memory of both programs at three sizes of the account: it should not grow with it. */
export async function memory(): Promise<readonly Figure[]> {
  const peaks: { readonly rows: number; readonly tap: number; readonly sync: number }[] = [];
  for (const rows of SIZES) {
    const peak = await withPrograms(rows, STREAMS, async ({ tap, sync }) => {
      return { tap: (await tap()).peakMiB, sync: (await sync()).peakMiB };
    });
    peaks.push({ rows, ...peak });
  }
  const figure = (what: string, rows: number, peakMiB: number, target: number): Figure => ({
    what: `${what}: peak memory at ${rows.toLocaleString("en-US")} rows`,
    measured: `${peakMiB.toFixed(0)} MiB`,
    target: `≤ ${target} MiB`,
    isMet: peakMiB <= target,
  });
  return [
    ...peaks.map(({ rows, tap }) => figure("Tap", rows, tap, TAP_MIB)),
    ...peaks.map(({ rows, sync }) => figure("DuckDB", rows, sync, DUCKDB_MIB)),
  ];
}
