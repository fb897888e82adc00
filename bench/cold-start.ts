import { time } from "./support/children.js";
import { temporaryFolder } from "./support/folder.js";
import { TAP } from "./support/programs.js";
import { shown, spread, type Figure } from "./support/report.js";

const PAIRS = 15;
const TARGET_MS = 250;

/** `tap-knowbe4 --discover`, from nothing to its end, against a program that does nothing. */
export async function coldStart(): Promise<readonly Figure[]> {
  await using folder = await temporaryFolder();
  const empty = await folder.write("empty.mjs", "");
  const ours: number[] = [];
  const ratios: number[] = [];
  for (let pair = 0; pair <= PAIRS; pair++) {
    const emptyMs = await time([empty]);
    const oursMs = await time([TAP, "--discover"]);
    // The first pair reads the files from the disk.
    if (pair === 0) continue;
    ours.push(oursMs);
    ratios.push(oursMs / emptyMs);
  }
  const took = spread(ours);
  return [
    {
      what: "`tap-knowbe4 --discover`: time",
      measured: shown(took, 0, " ms"),
      target: `≤ ${TARGET_MS} ms`,
      isMet: took.median <= TARGET_MS,
    },
    {
      what: "`tap-knowbe4 --discover`: times an empty Node program",
      measured: shown(spread(ratios), 1),
    },
  ];
}
