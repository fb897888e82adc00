import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { Dataset } from "@google-cloud/bigquery";

import type { Clock } from "../../core/clock.js";
import { ConnectorError } from "../../core/errors.js";
import type { Table } from "../table.js";
import type { Answer, Session, SpooledFile, Warehouse } from "../warehouse.js";
import { checkBigQuery } from "./check.js";
import type { BigQuerySettings } from "./client.js";
import { estimates } from "./estimate.js";
import { datasetOf, LABELS, LOCATION, type Found } from "./dataset.js";
import { bigQueryDialect, STAGE, type BigQueryDialect } from "./dialect.js";
import { failure, faultOf } from "./failure.js";
import { doJob, type JobSettings } from "./jobs.js";
import { packed } from "./upload.js";

/** Where and how BigQuery works. */
export interface BigQueryOptions {
  readonly settings: BigQuerySettings;
  /** Folder for what is about to be sent. */
  readonly tempDir: string;
  readonly clock: Clock;
  /** Most that one job may take, in milliseconds; half an hour unless given. */
  readonly patienceMs?: number;
}

/** Longest line that a load takes. Source: BigQuery docs, "Quotas and limits", load jobs. */
const LONGEST_ROW = 100_000_000;

/** A staging table that nobody removed goes by itself, in milliseconds. */
const STAGE_MS = 24 * 3_600_000;

/** A dataset in BigQuery. */
export function bigQueryWarehouse(options: BigQueryOptions): Warehouse {
  const { settings, clock } = options;
  const { project, dataset: name } = settings;
  const place = { project, dataset: name };
  const dialect = bigQueryDialect(project, name);
  const { find, make } = datasetOf(settings);
  return {
    dialect,
    place: `${project}.${name}`,
    elsewhere: "set destination.dataset to another dataset",
    exists: async () => (await find()) !== undefined,
    check: () => checkBigQuery({ settings, dialect, find }),
    estimate: async (tables) => {
      const it = await find();
      return it === undefined ? [] : estimates({ settings, dialect, client: it.client }, tables);
    },
    open: async () => {
      const it = (await find()) ?? (await make());
      const patienceMs = options.patienceMs ?? 1_800_000;
      return session(options, dialect, it, { client: it.client, place, clock, patienceMs });
    },
  };
}

function session(
  { settings, tempDir }: BigQueryOptions,
  dialect: BigQueryDialect,
  { client, dataset }: Found,
  jobs: JobSettings,
): Session {
  const { max_bytes_billed: most } = settings;
  const stages: string[] = [];
  /** @param id the same for the same work; without one the work is asked for only here. */
  const ask = (purpose: string, query: string, id = `kb4_${randomUUID()}`) =>
    doJob(jobs, {
      purpose,
      id,
      send: async (jobId) => {
        const [job] = await client.createQueryJob({
          query,
          jobId,
          labels: LABELS,
          ...(most === undefined ? {} : { maximumBytesBilled: String(most) }),
        });
        return job;
      },
    });
  return {
    query: async (purpose, sql) => {
      const { job } = await ask(purpose, sql);
      try {
        const [rows] = await job.getQueryResults({ autoPaginate: true });
        return rows as readonly Answer[];
      } catch (error) {
        throw failure(settings, purpose, error);
      }
    },
    run: async (statements) => {
      const [first] = statements;
      if (first !== undefined) await ask(first.purpose, dialect.script(statements));
    },
    transact: async (statements, loadId) => {
      await ask("committing", dialect.transaction(statements), `kb4_${loadId}_commit`);
    },
    stage: async (table, file, loadId) => {
      requireShort(settings, table, file);
      const name = `${STAGE}${loadId}_${String(stages.push(table.name))}`;
      stages[stages.length - 1] = name;
      const rows = await load({ dialect, dataset, jobs, settings, tempDir }, table, file, name);
      return { table, relation: dialect.staging(name), rows };
    },
    async [Symbol.asyncDispose]() {
      // What stays goes by itself.
      await Promise.all(
        stages.map((name) =>
          dataset
            .table(name)
            .delete({ ignoreNotFound: true })
            .catch(() => undefined),
        ),
      );
    },
  };
}

interface LoadSite {
  readonly dialect: BigQueryDialect;
  readonly dataset: Dataset;
  readonly jobs: JobSettings;
  readonly settings: BigQuerySettings;
  readonly tempDir: string;
}

/** Loads a file into a staging table; tells how many rows BigQuery has counted. */
async function load(
  { dialect, dataset, jobs, settings, tempDir }: LoadSite,
  table: Table,
  file: SpooledFile,
  name: string,
): Promise<number> {
  const purpose = `staging rows of ${table.name}`;
  const path = join(tempDir, `${name}.ndjson.gz`);
  const fields = dialect.stagingFields(table);
  const stage = dataset.table(name, { location: jobs.client.location ?? LOCATION });
  await packed(file.path, path, table);
  try {
    const expirationTime = String(jobs.clock.now() + STAGE_MS);
    await stage
      .create({ schema: [...fields], expirationTime, labels: LABELS })
      .catch((error: unknown) => {
        if (faultOf(error).status !== 409) throw failure(settings, purpose, error);
      });
    const { metadata } = await doJob(jobs, {
      purpose,
      id: `kb4_${name.slice(STAGE.length)}`,
      send: async (jobId) => {
        const [job] = await stage.createLoadJob(path, {
          jobId,
          schema: { fields: [...fields] },
          sourceFormat: "NEWLINE_DELIMITED_JSON",
          writeDisposition: "WRITE_TRUNCATE",
          createDisposition: "CREATE_IF_NEEDED",
          maxBadRecords: 0,
        });
        return job;
      },
      // An earlier run may have taken its table away, and ours may be a new and empty one.
      isRepeated: true,
    });
    return Number(metadata.statistics?.load?.outputRows ?? 0);
  } finally {
    await rm(path, { force: true });
  }
}

/** BigQuery would refuse the whole load, and the line would stay in the way of all that follow. */
function requireShort(settings: BigQuerySettings, table: Table, { longest }: SpooledFile): void {
  if (longest <= LONGEST_ROW) return;
  throw new ConnectorError(
    "destination",
    `destination ${settings.project}.${settings.dataset}: ${table.name}: a row of ${String(longest)} bytes; BigQuery takes ${String(LONGEST_ROW)}`,
    {
      hint: "deselect the column that is so long, and remove the spool folder: its rows are read again",
      context: { table: table.name },
    },
  );
}
