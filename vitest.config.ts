import { defineConfig } from "vitest/config";

/** Where to write the results as JSON as well, for a script that counts them. */
const report = process.env["TEST_REPORT"];

/**
 * One run of tests with the clock's zone set. Forks, not threads: Node reads TZ once per process,
 * and a worker thread cannot change it.
 */
function inZone(name: string, zone: string, include: string[], globalSetup: string[] = []) {
  return { extends: true as const, test: { name, include, globalSetup, env: { TZ: zone } } };
}

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    // What hangs ends. No bound on speed: a machine that is busy is no fault of ours.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The seed is printed; `npx vitest run --sequence.seed=N` repeats an order. fast-check draws its
    // own seed per run and prints it with the counterexample.
    sequence: { shuffle: { files: true, tests: true } },
    ...(report === undefined ? {} : { reporters: ["default", ["json", { outputFile: report }]] }),
    projects: [
      inZone("utc", "UTC", ["test/**/*.test.ts"], ["test/cli/support/build.ts"]),
      // UTC+12:45, +13:45 in summer: not a whole hour, and another date for half of every day.
      inZone("odd-zone", "Pacific/Chatham", [
        "test/core/**/*.test.ts",
        "test/protocols/**/*.test.ts",
        "test/config/**/*.test.ts",
      ]),
    ],
  },
});
