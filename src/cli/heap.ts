import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/**
 * Room for new objects, in bytes, before the living among them are copied. The rows of a page fit, so
 * that most are dead by then; twice as much gives a hundredth more speed for a dozen MiB.
 */
const YOUNG_BYTES = 4 * 1024 * 1024;

/** By how much of what is in use, in percent, the old generation grows before it is searched again. */
const OLD_GROWTH_PERCENT = 50;

/**
 * Keeps the heap near the size of what is in use, however large the account: left to itself, V8 takes
 * about a third more.
 *
 * V8 reads both flags whenever it decides whether to grow, so they may be set late; Node 20, 22 and
 * 24 have them. Unlike a limit on the heap they cannot make a large account fail.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${OLD_GROWTH_PERCENT}`);
  // The young generation has no flag that may be set late but the factor by which it grows: it is
  // to grow once, to the size that is wanted.
  const factor = Math.max(1, Math.round(YOUNG_BYTES / youngBytes()));
  growYoungBy(factor);
  if (factor === 1) return;
  const observer = new PerformanceObserver(() => {
    if (youngBytes() < YOUNG_BYTES * 0.75) return;
    growYoungBy(1);
    observer.disconnect();
  });
  observer.observe({ entryTypes: ["gc"] });
}

function growYoungBy(factor: number): void {
  setFlagsFromString(`--semi-space-growth-factor=${factor}`);
}

function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (young?.space_used_size ?? 0) + (young?.space_available_size ?? YOUNG_BYTES);
}
