import { compare } from "./support/pairs.js";
import { LONG_STREAMS, withPrograms } from "./support/programs.js";
import { shown, type Figure } from "./support/report.js";

const ROWS = 200_000;
const PAIRS = 7;
const TARGET = 0.7;

/** The Singer tap to /dev/null, against a loop that does nothing but fetch, parse and print. */
export async function tap(): Promise<readonly Figure[]> {
  const { speed, thrift, rowsPerSecond } = await withPrograms(ROWS, LONG_STREAMS, (programs) =>
    compare(ROWS, PAIRS, programs.bareLoop, programs.tap),
  );
  return [
    {
      what: "Tap: rows per second, as a share of the bare loop's",
      measured: shown(speed, 2),
      target: `≥ ${TARGET.toFixed(2)}`,
      isMet: speed.median >= TARGET,
    },
    { what: "Tap: the loop's processor time, as a share of its own", measured: shown(thrift, 2) },
    { what: "Tap: rows per second", measured: shown(rowsPerSecond, 0) },
  ];
}
