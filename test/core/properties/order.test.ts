import fc from "fast-check";
import { expect, test } from "vitest";

import { anyAccount, scriptOf } from "../../support/accounts.js";
import { run } from "../../support/run.js";
import { scriptedSource } from "../../support/source.js";

/** The same answers give the same bytes. */

const STREAMS = ["people", "members", "results", "enrolments", "scores", "team_scores"];

test("at any concurrency and any speed of the answers, the same bytes come out", async () => {
  const seed = fc.integer();

  await fc.assert(
    fc.asyncProperty(
      anyAccount,
      fc.integer({ min: 2, max: 16 }),
      seed,
      async (account, concurrency, salt) => {
        const script = scriptOf(account);
        const slow = scriptedSource(script, { turns: (request) => turnsOf(request, salt) });
        const settings = { pageSize: account.pageSize };

        const one = await run({
          streams: STREAMS,
          script,
          settings: { ...settings, concurrency: 1 },
        });
        const many = await run({
          streams: STREAMS,
          source: slow,
          settings: { ...settings, concurrency },
        });

        expect(many.sink.text()).toBe(one.sink.text());
        expect(many.sink.calls).toEqual(one.sink.calls);
        expect(many.warnings).toEqual(one.warnings);
        expect(JSON.stringify(many.state)).toBe(JSON.stringify(one.state));
        expect(many.requests.toSorted()).toEqual(one.requests.toSorted());
      },
    ),
    { numRuns: 40 },
  );
});

/** Some number of turns below five, another one for each request and salt. */
function turnsOf(request: string, salt: number): number {
  let hash = salt | 0;
  for (const char of request) hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0;
  return Math.abs(hash) % 5;
}
