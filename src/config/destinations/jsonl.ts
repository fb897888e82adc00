import { z } from "zod";

import { COMMON, fileMode, kind, spoolDir, text } from "../parts.js";

/** `destination` of type `jsonl`. */
export const jsonl = z
  .strictObject({
    type: kind("jsonl", "A folder of files with one JSON object per line."),
    path: text("Folder", "Folder of the files; made if it does not exist.").default(
      "knowbe4.jsonl",
    ),
    ...COMMON,
    mode: fileMode,
    spool_dir: spoolDir("beside the folder unless given"),
  })
  .meta({ title: "JSONL", description: "Plain files, for programs that read no database." });
