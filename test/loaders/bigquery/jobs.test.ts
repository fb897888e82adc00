import { expect, test } from "vitest";

import { doJob } from "../../../src/loaders/bigquery/jobs.js";
import { fakeClock } from "../../support/clock.js";
import { faultProxy, type FaultProxy, type Rule } from "../../support/fault-proxy.js";
import { failure } from "../support.js";
import { scriptedJobs, type Fate, type ScriptedJobs } from "./scripted.js";
import { clientAt, PROJECT } from "./support.js";

/** Jobs through Google's own client, over connections that break and to a server that refuses. */

const PLACE = { project: PROJECT, dataset: "crm" };
const SENT: Pick<Rule, "method" | "path"> = { method: "POST", path: /\/jobs\?/ };
const ASKED: Pick<Rule, "method" | "path"> = { method: "GET", path: /\/jobs\// };

interface Bench {
  readonly server: ScriptedJobs;
  readonly proxy: FaultProxy;
  /** Does one job; the same id each time. */
  work(more?: { readonly isRepeated?: boolean }): ReturnType<typeof doJob>;
}

async function bench(...fates: readonly Fate[]): Promise<Bench> {
  const server = await scriptedJobs(...fates);
  const proxy = await faultProxy(server.url);
  // Its own patience would be real seconds, and `maxRetries: 0` be three; what it does not repeat, we do.
  const client = clientAt(proxy.url, { autoRetry: false, location: "EU" });
  const settings = { client, place: PLACE, clock: fakeClock(), patienceMs: 60_000 };
  return {
    server,
    proxy,
    work: (more = {}) =>
      doJob(settings, {
        purpose: "committing",
        id: "kb4_load",
        send: async (jobId) => (await client.createQueryJob({ query: "SELECT 1", jobId }))[0],
        ...more,
      }),
  };
}

test("a job that ends well is sent once", async () => {
  const { server, proxy, work } = await bench();

  const { metadata } = await work();

  expect(metadata.status?.state).toBe("DONE");
  expect(server.ids).toEqual(["kb4_load_a1"]);
  expect(proxy.seen.filter(({ line }) => line.startsWith("POST"))).toHaveLength(1);
});

test.each<[string, Rule]>([
  ["an answer that is lost", { ...SENT, do: "lose" }],
  ["a request that never arrives", { ...SENT, do: "drop" }],
  [
    "a server that is busy",
    { ...SENT, do: "refuse", status: 503, reason: "backendError", times: 3 },
  ],
  [
    "too many requests",
    { ...SENT, do: "refuse", status: 403, reason: "rateLimitExceeded", times: 3 },
  ],
  ["a question that is lost", { ...ASKED, do: "drop", times: 2 }],
  ["a question that is refused", { ...ASKED, do: "refuse", status: 500, reason: "backendError" }],
])("%s: the same job, once", async (_, rule) => {
  const { server, proxy, work } = await bench();
  proxy.rule(rule);

  await work();

  expect(server.ids).toEqual(["kb4_load_a1"]);
});

test("what an earlier run has sent is found again and not done twice", async () => {
  const { server, work } = await bench();
  await work();

  await work();

  expect(server.ids).toEqual(["kb4_load_a1"]);
});

test("what an earlier run has done is done again where nothing may be left of it", async () => {
  const { server, work } = await bench();
  await work();
  await work({ isRepeated: true });

  await work({ isRepeated: true });

  expect(server.ids).toEqual(["kb4_load_a1", "kb4_load_a2", "kb4_load_a3"]);
});

test("however many runs have failed, the next one tries; ids that are taken are not sent", async () => {
  const fault = { reason: "accessDenied", message: "Access Denied: Table x" };
  const { server, proxy, work } = await bench(...Array.from({ length: 20 }, () => fault));
  for (let run = 0; run < 20; run += 1) await failure(work());
  const from = proxy.seen.length;

  await work();

  expect(server.ids.at(-1)).toBe("kb4_load_a21");
  const lines = proxy.seen.slice(from).map(({ line }) => line);
  expect(lines.filter((line) => line.startsWith("POST"))).toHaveLength(2);
});

test("what an earlier run has failed of is tried again", async () => {
  const { server, work } = await bench({ reason: "invalidQuery", message: "No such field: x" });
  await failure(work());

  await work();

  expect(server.ids).toEqual(["kb4_load_a1", "kb4_load_a2"]);
});

test.each([
  ["backendError", "try again"],
  ["invalidQuery", "Transaction is aborted due to concurrent update against table crm.users"],
])("a job that ends with %s is sent again under the next id", async (reason, message) => {
  const { server, work } = await bench({ reason, message }, { reason, message });

  await work();

  expect(server.ids).toEqual(["kb4_load_a1", "kb4_load_a2", "kb4_load_a3"]);
});

test("a job that never ends is cancelled, and the next one too, and then it is told", async () => {
  const { server, work } = await bench("never", "never");

  const error = await failure(work());

  expect(error.message).toBe("destination test-project.crm: committing has not ended in 60 s");
  expect(error.kind).toBe("destination");
  expect(server.cancelled).toEqual(["kb4_load_a1", "kb4_load_a2"]);
});

test.each([
  [
    "quotaExceeded",
    "Quota exceeded: Your table exceeded quota",
    "a quota of the project is spent",
    "run again later",
  ],
  [
    "accessDenied",
    "Access Denied: Table x: Permission bigquery.tables.updateData denied on table x (or it may not exist).",
    "bigquery.tables.updateData is not allowed",
    "give roles/bigquery.dataEditor on dataset test-project.crm",
  ],
  [
    "accessDenied",
    "Access Denied: Project x: User does not have bigquery.jobs.create permission in project x.",
    "bigquery.jobs.create is not allowed",
    "give roles/bigquery.jobUser on project test-project",
  ],
  [
    "accessDenied",
    "BigQuery API has not been used in project 123 before or it is disabled.",
    "the BigQuery API is off in project test-project",
    "gcloud services enable bigquery.googleapis.com --project test-project",
  ],
  [
    "notFound",
    "Not found: Dataset test-project:crm was not found in location EU",
    "dataset test-project:crm does not exist",
    "destination.location",
  ],
  [
    "bytesBilledLimitExceeded",
    "Query exceeded limit for bytes billed: 1000. 2000 or higher required.",
    "a statement would be billed for more than destination.max_bytes_billed",
    "raise it",
  ],
  [
    "billingNotEnabled",
    "Billing has not been enabled",
    "project test-project has no billing",
    "billing account",
  ],
  [
    "invalidQuery",
    "Unrecognized name: manager at [1:20] near 'ada@example.com'",
    "invalidQuery: Unrecognized name: manager",
    "rows that were read wait in the spool",
  ],
  ["invalid", "Could not parse 'ada@example.com' as INT64", "invalid", "wait in the spool"],
])("%s is told once, in one line, without a value: %s", async (reason, message, what, hint) => {
  const { server, work } = await bench({ reason, message });

  const error = await failure(work());

  expect(error.kind).toBe("destination");
  expect(error.message).toMatch(/^destination test-project\.crm: committing failed: [^\n]*$/);
  expect(error.message).toContain(what);
  expect(error.hint).toContain(hint);
  expect(`${error.message} ${error.hint ?? ""}`).not.toContain("ada@");
  expect(server.ids).toHaveLength(1);
});

test("a runner that was faster is told as such", async () => {
  const { work } = await bench({ reason: "invalidQuery", message: "kb4_outrun at [3:1]" });

  expect((await failure(work())).kind).toBe("locked");
});
