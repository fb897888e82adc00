import type { BigQuery, Dataset } from "@google-cloud/bigquery";

import { ConnectorError } from "../../core/errors.js";
import { clientsOf, type BigQuerySettings, type MakeClient } from "./client.js";
import { failure, faultOf } from "./failure.js";

/** Labels of what the loader makes: in bills and lists it can be told from the rest. */
export const LABELS = { made_by: "knowbe4-connector" };

/** Where a new dataset goes unless told: BigQuery's own default. */
export const LOCATION = "US";

/** A dataset that was found. */
export interface Found {
  readonly client: BigQuery;
  readonly dataset: Dataset;
  readonly location: string;
}

/** Finds the dataset, and makes it. */
export interface Finder {
  /** The dataset, with a client that asks where it is; undefined if there is none. */
  readonly find: () => Promise<Found | undefined>;
  /** @throws ConnectorError `destination` if it may not be made. */
  readonly make: () => Promise<Found>;
}

/**
 * Looks for the dataset of the settings, once.
 *
 * @throws ConnectorError `config`.
 */
export function datasetOf(settings: BigQuerySettings): Finder {
  const makeClient = clientsOf(settings);
  let found: Found | undefined;
  const find: Finder["find"] = async () => {
    if (found !== undefined) return found;
    const [anywhere, location] = await locate(settings, makeClient);
    if (location === undefined) return undefined;
    requireLocation(settings, location);
    const client = anywhere.location === location ? anywhere : await makeClient(location);
    return (found = { client, dataset: client.dataset(settings.dataset), location });
  };
  return { find, make: () => make(settings, makeClient, find) };
}

async function locate(
  settings: BigQuerySettings,
  makeClient: MakeClient,
): Promise<readonly [BigQuery, string | undefined]> {
  const purpose = "looking for the dataset";
  try {
    const client = await makeClient(settings.location);
    try {
      const answer: readonly unknown[] = await client.dataset(settings.dataset).getMetadata();
      const { location } = answer[0] as { readonly location?: string };
      return [client, location ?? settings.location ?? LOCATION];
    } catch (error) {
      const { status, message } = faultOf(error);
      if (status === 404 && !/Not found: Project/i.test(message)) return [client, undefined];
      throw error;
    }
  } catch (error) {
    throw failure(settings, purpose, error);
  }
}

function requireLocation({ dataset, location, project }: BigQuerySettings, is: string): void {
  if (location === undefined || location.toUpperCase() === is.toUpperCase()) return;
  throw new ConnectorError(
    "destination",
    `destination ${project}.${dataset}: the dataset is in ${is}, not in ${location}`,
    { hint: `set destination.location to ${is}, or leave it out` },
  );
}

async function make(
  settings: BigQuerySettings,
  makeClient: MakeClient,
  find: () => Promise<Found | undefined>,
): Promise<Found> {
  const { project, dataset, location = LOCATION, create_dataset: isAllowed } = settings;
  const where = `destination ${project}.${dataset}: the dataset does not exist`;
  if (!isAllowed) {
    const hint = `bq mk --dataset --location=${location} ${project}:${dataset}, or set destination.create_dataset`;
    throw new ConnectorError("destination", where, { hint });
  }
  try {
    const client = await makeClient(location);
    await client.createDataset(dataset, {
      location,
      labels: LABELS,
      description: "A KnowBe4 account, written by knowbe4-connector.",
    });
  } catch (error) {
    // Another run may have made it in this moment.
    if (faultOf(error).status !== 409) throw failure(settings, "making the dataset", error);
  }
  const made = await find();
  if (made !== undefined) return made;
  throw new ConnectorError("destination", where, { hint: "run again" });
}
