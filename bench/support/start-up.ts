import { time } from "./children.js";
import { temporaryFolder } from "./folder.js";
import { shown, spread, type Figure } from "./report.js";

const PAIRS = 15;
const TARGET_MS = 250;

/**
 * What a command takes from nothing to its end, against a program that does nothing.
 *
 * @param what the command as a person types it.
 */
export async function startUp(what: string, argv: readonly string[]): Promise<readonly Figure[]> {
  await using folder = await temporaryFolder();
  const empty = await folder.write("empty.mjs", "");
  const ours: number[] = [];
  const ratios: number[] = [];
  for (let pair = 0; pair <= PAIRS; pair++) {
    const emptyMs = await time([empty]);
    const oursMs = await time([...argv]);
    // The first pair reads the files from the disk.
    if (pair === 0) continue;
    ours.push(oursMs);
    ratios.push(oursMs / emptyMs);
  }
  const took = spread(ours);
  return [
    {
      what: `\`${what}\`: time`,
      measured: shown(took, 0, " ms"),
      target: `≤ ${TARGET_MS} ms`,
      isMet: took.median <= TARGET_MS,
    },
    { what: `\`${what}\`: times an empty Node program`, measured: shown(spread(ratios), 1) },
  ];
}
