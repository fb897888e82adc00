import type { Config } from "../config/schema.js";
import type { Column } from "../core/columns.js";
import type { Sink } from "../core/ports.js";
import type { StreamDef } from "../core/stream.js";
import { DeletedRecords, withDeleted, type DeletedOptions } from "../protocols/deleted.js";
import { privacyOf } from "./privacy.js";

/** Columns of each stream as a protocol hands them on under this configuration. */
export function columnsUnder(
  config: Config,
  { style }: Pick<DeletedOptions, "style">,
): (def: StreamDef) => readonly Column[] {
  const { columnsOf } = privacyOf(config);
  return config.deleted_records === "none" ? columnsOf : withDeleted(style, columnsOf);
}

/** A protocol's writer that tells of deletions if the configuration says so. */
export function tellingDeletions(
  writer: Sink,
  config: Config,
  options: Pick<DeletedOptions, "style" | "only">,
): Sink {
  switch (config.deleted_records) {
    case "none":
      return writer;
    case "guarded":
      return new DeletedRecords(writer, options);
    case "all":
      return new DeletedRecords(writer, { ...options, most: Infinity });
  }
}
