import { compare } from "./support/pairs.js";
import { LONG_STREAMS, withPrograms } from "./support/programs.js";
import { shown, type Figure } from "./support/report.js";

const ROWS = 200_000;
const PAIRS = 5;
const TARGET = 0.7;

/** The Airbyte source to /dev/null, against a loop that does nothing but fetch, parse and print. */
export async function airbyte(): Promise<readonly Figure[]> {
  const { speed } = await withPrograms(ROWS, LONG_STREAMS, (programs) =>
    compare(ROWS, PAIRS, programs.bareLoop, programs.read),
  );
  return [
    {
      what: "Airbyte source: rows per second, as a share of the bare loop's",
      measured: shown(speed, 2),
      target: `≥ ${TARGET.toFixed(2)}`,
      isMet: speed.median >= TARGET,
    },
  ];
}
