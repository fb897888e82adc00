import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const HEAP = new URL("../../src/cli/heap.ts", import.meta.url).href;

/** Prints the room for new objects, in MiB, after much has been made and kept for a while. */
const CHURN = `
import { getHeapSpaceStatistics } from "node:v8";
const { keepHeapSmall } = await import(${JSON.stringify(HEAP)});
keepHeapSmall();
const kept = [];
for (let round = 0; round < 300; round++) {
  kept[round % 10] = Array.from({ length: 10_000 }, (_, i) => ({ i, round }));
  await new Promise(setImmediate);
}
const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space");
console.log((young.space_used_size + young.space_available_size) / 2 ** 20);`;

test("the young generation grows to four megabytes and stays at that", async () => {
  const args = ["--import", "tsx", "--input-type=module", "--eval", CHURN];

  const { stdout } = await promisify(execFile)(process.execPath, args);

  expect(Math.round(Number(stdout))).toBe(4);
});
