import { z } from "zod";

import { MAX_VANISHED_RATIO } from "../core/vanished.js";

/** Marks a setting whose value must not be shown; it may also come from a file. */
export const SECRET = { secret: true, writeOnly: true, airbyte_secret: true } as const;

/** Text that is not empty. */
export const text = (title: string, description: string) =>
  z.string().min(1).meta({ title, description });

const MODE = {
  title: "Mode",
  description:
    "merge keeps the newest version of each row, append keeps every row that comes, replace swaps the whole table at the end of each run, history (not in jsonl) keeps each version of a row and from when until when it held.",
} as const;

/** How rows reach files, which keep no history. */
export const fileMode = z.enum(["merge", "append", "replace"]).default("merge").meta(MODE);

/** Settings that every destination has. */
export const COMMON = {
  mode: z.enum(["merge", "append", "replace", "history"]).default("merge").meta(MODE),
  max_vanished_ratio: z.number().min(0).max(1).default(MAX_VANISHED_RATIO).meta({
    title: "Most rows that may go",
    description:
      "Largest part of a table's rows that one run may mark as deleted at the source, in mode merge or history; beyond it none is marked and the run ends with 6. knowbe4 sync --allow-vanished lets it pass once.",
  }),
} as const;

/** Spool folder of a destination that is no file: rows wait beside nothing in particular. */
export const spoolDir = (place: string) =>
  text("Spool folder", `Folder for rows that are not committed yet; ${place}.`).optional();

/** The `type` of a destination. */
export const kind = <const T extends string>(type: T, description: string) =>
  z.literal(type).meta({ title: "Type", description });
