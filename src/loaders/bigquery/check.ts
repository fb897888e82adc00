import { ConnectorError } from "../../core/errors.js";
import type { Missing } from "../warehouse.js";
import type { BigQuerySettings } from "./client.js";
import type { BigQueryDialect } from "./dialect.js";
import { failure, faultOf, roleFor } from "./failure.js";
import type { Found } from "./dataset.js";

/** What {@link checkBigQuery} looks into. */
export interface CheckSite {
  readonly settings: BigQuerySettings;
  readonly dialect: BigQueryDialect;
  readonly find: () => Promise<Found | undefined>;
}

/** What is missing before rows can be written. Statements are tried as dry runs: nothing is done. */
export async function checkBigQuery({
  settings,
  dialect,
  find,
}: CheckSite): Promise<readonly Missing[]> {
  const { project, dataset, create_dataset: isAllowed, location = "US" } = settings;
  let found: Found | undefined;
  try {
    found = await find();
  } catch (error) {
    if (!(error instanceof ConnectorError) || error.kind !== "destination") throw error;
    const what = error.message.replace(`destination ${project}.${dataset}: `, "");
    return [{ what, fix: error.hint ?? "check destination" }];
  }
  if (found === undefined) {
    if (isAllowed) return [];
    const fix = `bq mk --dataset --location=${location} ${project}:${dataset}, or set destination.create_dataset`;
    return [{ what: "the dataset does not exist", fix }];
  }
  const [making] = dialect.bookkeeping();
  const probes = [
    ["running statements", "SELECT 1"],
    ["making tables", making?.sql ?? "SELECT 1"],
    ["reading the schema", dialect.describe()],
  ] as const;
  const missing: Missing[] = [];
  for (const [purpose, query] of probes) {
    try {
      await found.client.createQueryJob({ query, dryRun: true });
    } catch (error) {
      const fault = faultOf(error);
      if (fault.reason !== "accessDenied") throw failure(settings, purpose, error);
      const permission = /bigquery\.\w+\.\w+/.exec(fault.message)?.[0];
      missing.push({
        what: `${purpose} is not allowed${permission === undefined ? "" : `: ${permission}`}`,
        fix: roleFor(fault, settings),
      });
    }
  }
  return missing;
}
