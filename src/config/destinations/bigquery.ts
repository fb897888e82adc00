import { z } from "zod";

import { COMMON, kind, SECRET, spoolDir, text } from "../parts.js";

/** `destination` of type `bigquery`. */
export const bigquery = z
  .strictObject({
    type: kind("bigquery", "A dataset in Google BigQuery."),
    project: z
      .string()
      .regex(/^([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$/, "not the id of a project")
      .meta({
        title: "Project",
        description: "Id of the Google Cloud project that holds the dataset and pays for the jobs.",
      }),
    dataset: z
      .string()
      .regex(/^\w{1,1024}$/, "a dataset's name has letters, digits and underscores only")
      .default("knowbe4")
      .meta({ title: "Dataset", description: "Dataset that holds the tables." }),
    location: z
      .string()
      .regex(/^[a-zA-Z][a-zA-Z0-9-]*$/, "not a location")
      .optional()
      .meta({
        title: "Location",
        description:
          "Where the dataset is, as EU or europe-west3; the dataset's own, or US for a new one, unless given.",
      }),
    create_dataset: z.boolean().default(true).meta({
      title: "Make the dataset",
      description: "Whether a dataset that is not there is made.",
    }),
    key_file: text(
      "Key file",
      "File with a service account's key, or with an external account for workload identity; application default credentials unless given.",
    ).optional(),
    key_json: text("Key", "The same as text, in place of key_file.")
      .meta({ ...SECRET })
      .optional(),
    impersonate: text(
      "Impersonate",
      "E-mail address of a service account to act as; the credentials must be allowed to.",
    ).optional(),
    max_bytes_billed: z.int().min(1).optional().meta({
      title: "Bytes billed",
      description:
        "Most bytes that one statement may be billed for; BigQuery refuses it otherwise.",
    }),
    api_endpoint: text(
      "API endpoint",
      "Another address of the API: this machine, for tests.",
    ).optional(),
    ...COMMON,
    spool_dir: spoolDir("knowbe4.spool in the working folder unless given"),
  })
  .meta({ title: "BigQuery", description: "Google's warehouse." });
