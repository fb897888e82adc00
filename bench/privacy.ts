import { compare } from "./support/pairs.js";
import { LONG_STREAMS, withPrograms } from "./support/programs.js";
import { shown, type Figure } from "./support/report.js";

const ROWS = 200_000;
const PAIRS = 5;

/** What hashing costs: the tap under `pseudonymous`, against the same tap without rules. */
export async function privacy(): Promise<readonly Figure[]> {
  const { speed, thrift } = await withPrograms(ROWS, LONG_STREAMS, (programs) =>
    compare(ROWS, PAIRS, programs.tap, programs.pseudonymousTap),
  );
  return [
    {
      what: "Tap under `pseudonymous`: rows per second, as a share of those without rules",
      measured: shown(speed, 2),
    },
    {
      what: "Tap under `pseudonymous`: processor time without rules, as a share of its own",
      measured: shown(thrift, 2),
    },
  ];
}
