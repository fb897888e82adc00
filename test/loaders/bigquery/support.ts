import { join } from "node:path";
import { setTimeout as realSleep } from "node:timers/promises";

import { BigQuery, type BigQueryOptions } from "@google-cloud/bigquery";
import { PassThroughClient } from "google-auth-library";
import { onTestFinished } from "vitest";

import { iso, type Clock } from "../../../src/core/clock.js";
import type { SyncEvent } from "../../../src/core/events.js";
import type { SinkStream } from "../../../src/core/ports.js";
import type { Checkpoint, Row } from "../../../src/core/record.js";
import { openBigQuery, type BigQueryLoaderOptions } from "../../../src/loaders/bigquery/index.js";
import type { Loader } from "../../../src/loaders/loader.js";
import { parseExactly } from "../../../src/protocols/singer/exact.js";
import { batch, checkpoint, ended, runInfo, running } from "../../protocols/singer/support.js";
import { faultProxy, type FaultProxy } from "../../support/fault-proxy.js";
import { folder } from "../support.js";

/** Address of a server; `test/peers/run bigquery` starts one and sets it. */
export const ENDPOINT = process.env["KB4_TEST_BIGQUERY_ENDPOINT"];

/** Says in the list of tests why they did not run. */
export const SKIPPED =
  ENDPOINT === undefined
    ? " (skipped: KB4_TEST_BIGQUERY_ENDPOINT is not set; test/peers/run bigquery sets it)"
    : "";

/** Project that the server knows. */
export const PROJECT = "test-project";

/** Waits really, but never long: a server on this machine answers at once. */
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms) => realSleep(Math.min(ms, 100)),
  after: () => () => undefined,
};

/** A client of its own: what others see. */
export function clientAt(endpoint: string, more: BigQueryOptions = {}): BigQuery {
  process.env["METADATA_SERVER_DETECTION"] = "none";
  const local = { useAuthWithCustomEndpoint: true, authClient: new PassThroughClient() };
  return new BigQuery({ projectId: PROJECT, apiEndpoint: endpoint, ...local, ...more });
}

/** A dataset that loaders fill. */
export interface BigQueryDesk {
  readonly dataset: string;
  /** Folder of the spool. */
  readonly spool: string;
  readonly client: BigQuery;
  readonly events: SyncEvent[];
  loader(options?: Partial<BigQueryLoaderOptions>): Loader;
  /** One run of its own: a stream read to its end, committed. */
  load(
    declared: SinkStream,
    rows: readonly Row[],
    options?: Partial<BigQueryLoaderOptions>,
  ): Promise<readonly Checkpoint[]>;
  /** Rows of a query; `{d}` in it is the dataset. JSON as JSON, instants as ISO text. */
  query(sql: string): Promise<readonly Row[]>;
  /** Names of all tables, staging tables too. */
  tables(): Promise<readonly string[]>;
}

let seed = Date.now() % 1e6;

/** A desk of its own in a new dataset, at a server or at a proxy in front of it. */
export async function bigQueryDesk(endpoint = ENDPOINT ?? ""): Promise<BigQueryDesk> {
  process.env["METADATA_SERVER_DETECTION"] = "none";
  const client = clientAt(ENDPOINT ?? endpoint);
  const dataset = `t${String(Date.now())}_${String((seed += 1))}`;
  const spool = join(await folder(), "spool");
  const events: SyncEvent[] = [];
  onTestFinished(async () => {
    await client
      .dataset(dataset)
      .delete({ force: true })
      .catch(() => undefined);
  });
  const loader: BigQueryDesk["loader"] = (options = {}) => {
    const made = openBigQuery({
      settings: { project: PROJECT, dataset, create_dataset: true, api_endpoint: endpoint },
      spoolDir: spool,
      pipeline: "knowbe4",
      strangers: [],
      mode: "merge",
      clock,
      random: () => ((seed += 1) % 36 ** 6) / 36 ** 6,
      emit: (event) => events.push(event),
      toolVersion: "0.0.0-test",
      ...options,
    });
    onTestFinished(() => made[Symbol.asyncDispose]());
    return made;
  };
  return {
    dataset,
    spool,
    client,
    events,
    loader,
    load: async (declared, rows, options) => {
      await using made = loader(options);
      await made.open(runInfo(), running());
      await made.declare(declared);
      const { name } = declared;
      const extractedAt = iso(clock.now());
      const told = [
        ...(await made.write(batch(name, rows, { checkpoint: checkpoint(name), extractedAt }))),
        ...(await made.end(ended(name))),
      ];
      return [...told, ...(await made.flush())];
    },
    query: async (sql) => {
      const query = `SELECT TO_JSON_STRING(r) AS r FROM (${sql.replaceAll("{d}", dataset)}) AS r`;
      const [rows] = await client.query({ query });
      return (rows as { r: string }[]).map(({ r }) => tidied(parseExactly(r) as Row));
    },
    tables: async () => {
      const [found] = await client.dataset(dataset).getTables();
      return found.map((table) => table.id ?? "").toSorted();
    },
  };
}

/** A desk whose loaders reach the server through a proxy. */
export async function behindProxy(): Promise<BigQueryDesk & { readonly proxy: FaultProxy }> {
  const proxy = await faultProxy(ENDPOINT ?? "");
  return { ...(await bigQueryDesk(proxy.url)), proxy };
}

/** The server writes instants with a space and an offset. */
function tidied(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const isInstant =
        typeof value === "string" && /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d/.test(value);
      return [name, isInstant ? instant(value) : value];
    }),
  );
}

function instant(text: string): string {
  const at = Date.parse(text.replace(" ", "T").replace(/\+00$/, "Z"));
  return Number.isNaN(at) ? text : iso(at);
}
