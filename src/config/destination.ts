import { z } from "zod";

import { bigquery } from "./destinations/bigquery.js";
import { duckdb } from "./destinations/duckdb.js";
import { jsonl } from "./destinations/jsonl.js";
import { snowflake } from "./destinations/snowflake.js";

/** The type that a destination has unless told. */
export const DEFAULT_TYPE = "duckdb";

/** Every type of destination; a new one is a file in `destinations/` and a word here. */
export const destination = z
  .discriminatedUnion("type", [duckdb, bigquery, jsonl, snowflake])
  .prefault({ type: DEFAULT_TYPE })
  .meta({
    title: "Destination",
    description: "Where knowbe4 sync and knowbe4 load put the rows.",
  });
