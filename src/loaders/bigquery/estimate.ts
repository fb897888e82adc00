import type { BigQuery } from "@google-cloud/bigquery";

import type { Table } from "../table.js";
import type { Estimate } from "../warehouse.js";
import type { BigQuerySettings } from "./client.js";
import type { BigQueryDialect } from "./dialect.js";
import { failure, faultOf } from "./failure.js";

/** Where {@link estimates} asks. */
export interface EstimateSite {
  readonly settings: BigQuerySettings;
  readonly dialect: BigQueryDialect;
  readonly client: BigQuery;
}

/**
 * What merging into these tables would be billed, by dry runs: nothing is read. How much of a table's
 * partitions rows change is only known once they are there, so the merge is told for all of them.
 *
 * Source: BigQuery docs, "Data manipulation language", bytes processed: what the statement reads, and
 * all of the partitions that it changes.
 */
export async function estimates(
  { settings, dialect, client }: EstimateSite,
  tables: readonly Table[],
): Promise<readonly Estimate[]> {
  const bytes = async (query: string): Promise<number> => {
    const [job] = await client.createQueryJob({ query, dryRun: true });
    const { statistics } = job.metadata as {
      readonly statistics?: { readonly totalBytesProcessed?: string };
    };
    return Number(statistics?.totalBytesProcessed ?? 0);
  };
  const found: Estimate[] = [];
  for (const table of tables.filter(({ primaryKey }) => primaryKey.length > 0)) {
    try {
      const compare = await bytes(dialect.readKeys(table));
      found.push({ table: table.name, compare, merge: await bytes(dialect.rewrite(table)) });
    } catch (error) {
      // Not there yet: its first rows are free.
      const { status, reason } = faultOf(error);
      if (status === 404 || reason === "notFound") continue;
      throw failure(settings, `estimating ${table.name}`, error);
    }
  }
  return found;
}
