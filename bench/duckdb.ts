import { compare } from "./support/pairs.js";
import { LONG_STREAMS, withPrograms } from "./support/programs.js";
import { shown, type Figure } from "./support/report.js";

const ROWS = 200_000;
const PAIRS = 5;
const TARGET = 0.5;

/** A first sync into a new DuckDB file, against the loop that prints the same pages to /dev/null. */
export async function duckdb(): Promise<readonly Figure[]> {
  const { speed, thrift, rowsPerSecond } = await withPrograms(ROWS, LONG_STREAMS, (programs) =>
    compare(ROWS, PAIRS, programs.bareLoop, programs.sync),
  );
  return [
    {
      what: "DuckDB: rows per second, as a share of the bare loop's",
      measured: shown(speed, 2),
      target: `≥ ${TARGET.toFixed(2)}`,
      isMet: speed.median >= TARGET,
    },
    {
      what: "DuckDB: the loop's processor time, as a share of its own",
      measured: shown(thrift, 2),
    },
    { what: "DuckDB: rows per second", measured: shown(rowsPerSecond, 0) },
  ];
}
