import type { Usage } from "./children.js";
import { spread, type Spread } from "./report.js";

/** How a program compares with the bare loop. */
export interface Comparison {
  /** Rows per second, as a share of the loop's. */
  readonly speed: Spread;
  /** The loop's processor time, as a share of the program's. */
  readonly thrift: Spread;
  /** Of the program. */
  readonly rowsPerSecond: Spread;
}

/**
 * Runs both in turns, so that what else the machine does meets both alike; each pair gives one
 * ratio. The first pair is left out: it fills caches.
 */
export async function compare(
  rows: number,
  pairs: number,
  loop: () => Promise<Usage>,
  program: () => Promise<Usage>,
): Promise<Comparison> {
  const speeds: number[] = [];
  const thrifts: number[] = [];
  const rates: number[] = [];
  for (let pair = 0; pair <= pairs; pair++) {
    const isLoopFirst = pair % 2 === 0;
    const first = await (isLoopFirst ? loop() : program());
    const second = await (isLoopFirst ? program() : loop());
    const [bare, ours] = isLoopFirst ? [first, second] : [second, first];
    if (pair === 0) continue;
    speeds.push(bare.wallMs / ours.wallMs);
    thrifts.push(bare.cpuMs / ours.cpuMs);
    rates.push(rows / (ours.wallMs / 1000));
  }
  return { speed: spread(speeds), thrift: spread(thrifts), rowsPerSecond: spread(rates) };
}
