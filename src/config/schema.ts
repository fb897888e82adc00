import { z } from "zod";

import { REGIONS } from "../core/regions.js";
import { destination } from "./destination.js";
import { SECRET, text } from "./parts.js";
import { privacy } from "./privacy.js";

const rateLimit = z
  .strictObject({
    per_second: z.int().min(0).default(4).meta({
      title: "Per second",
      description: "Requests in any second; 0 switches this limit off.",
    }),
    per_minute: z.int().min(0).default(50).meta({
      title: "Per minute",
      description: "Requests in any minute; 0 switches this limit off.",
    }),
    per_day: z.int().min(0).nullable().default(null).meta({
      title: "Per day",
      description:
        "Requests in any 24 hours, over all runs that share a state; 0 switches this limit off, null is 2,000 plus the number of seats.",
    }),
    reserve: z.int().min(0).default(0).meta({
      title: "Reserve",
      description: "Requests of each 24 hours that are left to whoever else uses the key's quota.",
    }),
  })
  .meta({
    title: "Rate limits",
    description: "KnowBe4 documents 4 a second, 50 a minute and 2,000 plus seats a day.",
  });

const retry = z
  .strictObject({
    max_attempts: z
      .int()
      .min(1)
      .max(50)
      .default(8)
      .meta({ title: "Attempts", description: "Times a request is sent before its stream fails." }),
    max_seconds: z.number().min(0).default(600).meta({
      title: "Seconds",
      description: "Time one request may take with all its retries, in seconds.",
    }),
  })
  .meta({ title: "Retries", description: "How long a failing request is tried again." });

/**
 * Every setting, declared once. Types, checks, environment variables, `docs/settings.md`,
 * `spec.json` and `--about` come from here.
 */
export const configSchema = z.strictObject({
  api_key: z
    .string()
    .trim()
    .min(1)
    // It goes into a header, which refuses anything else and would quote it while doing so.
    .refine((key) => /^[!-~]*$/.test(key))
    .meta({
      ...SECRET,
      title: "API key",
      description: "Reporting API key, made in the KnowBe4 console under Account Settings > API.",
    }),
  region: z
    .enum(REGIONS)
    .default("us")
    .meta({ title: "Region", description: "Where the account lives; see the console's address." }),
  api_url: text(
    "API address",
    "Another address of the API: https below api.knowbe4.com, or this machine for tests.",
  ).optional(),
  start_date: z.iso.date().optional().meta({
    title: "Start date",
    description: "Days before this one are left out of the risk score histories, as 2026-01-31.",
  }),
  pagination: z.enum(["auto", "page", "cursor"]).default("auto").meta({
    title: "Pagination",
    description: "How listings are paged; auto asks the API once per run.",
  }),
  page_size: z
    .int()
    .min(1)
    .max(500)
    .default(500)
    .meta({ title: "Page size", description: "Rows asked for in one request, at most 500." }),
  rate_limit: rateLimit.prefault({}),
  on_quota_exhausted: z.enum(["stop", "wait", "fail"]).default("stop").meta({
    title: "When the quota is spent",
    description:
      "stop keeps what was read and says when to come back, wait sleeps until there is quota again, fail ends at once and drops what was read since the last commit.",
  }),
  priority: z.string().default("").meta({
    title: "Priority",
    description:
      "Streams to read before the others, separated by commas, in that order; else small and incremental ones come first.",
  }),
  concurrency: z.int().min(1).max(16).default(4).meta({
    title: "Concurrency",
    description: "Requests under way at once; the rate limits hold all the same.",
  }),
  group_members: z.enum(["auto", "endpoint"]).default("auto").meta({
    title: "Group members",
    description:
      "auto takes memberships from the users and reads only groups whose member count differs, endpoint asks for every group.",
  }),
  lookback_days: z.int().min(0).max(3650).default(30).meta({
    title: "Look-back",
    description:
      "Days after the end of a training campaign during which its enrollments are read again.",
  }),
  reverify_days: z.int().min(1).max(3650).default(30).meta({
    title: "Re-verification",
    description: "Days after which what looks unchanged is read again all the same.",
  }),
  max_rejects: z.int().min(0).default(0).meta({
    title: "Rejected rows",
    description: "Rows per stream that may fail to fit their schema before the stream fails.",
  }),
  deleted_records: z.enum(["none", "guarded", "all"]).default("none").meta({
    title: "Deleted records",
    description:
      "What the Singer tap and the Airbyte source tell of rows that are gone from KnowBe4: none nothing; guarded a record with the key and the time, unless more than a fifth of a stream's rows have gone; all however many. Own destinations mark such rows by themselves.",
  }),
  retry: retry.prefault({}),
  request_timeout: z.number().min(1).max(3600).default(60).meta({
    title: "Time-out",
    description: "Seconds without a byte after which a request is given up.",
  }),
  privacy: privacy.prefault({}),
  destination,
});

/** A complete configuration, defaults filled in. */
export type Config = z.output<typeof configSchema>;

/** Where the rows go. */
export type Destination = Config["destination"];
