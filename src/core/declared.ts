import { OBSERVED_AT } from "./columns.js";
import type { PlannedStream } from "./plan.js";
import type { SinkStream } from "./ports.js";
import type { StreamDef } from "./stream.js";

/** Replication key of a stream: its own cursor, or when it was observed; null if it is read whole. */
export function cursorOf(def: StreamDef): string | null {
  if (def.replication.mode === "full_table") return null;
  return def.replication.by === "cursor" ? def.replication.cursor : OBSERVED_AT.name;
}

/** Column by which rows of a stream are read part by part: one group, one test, one campaign. */
export function partColumnOf({ parent, replication }: StreamDef): string | null {
  if (replication.mode === "incremental" && replication.by === "slices") return replication.param;
  const [param, ...others] = Object.keys(parent?.bind ?? {});
  return param === undefined || others.length > 0 ? null : param;
}

/** A planned stream as sinks see it. */
export function sinkStream(planned: PlannedStream): SinkStream {
  const { def, columns, bookmark } = planned;
  return {
    name: def.name,
    description: def.description,
    columns,
    primaryKey: def.primaryKey,
    cursor: cursorOf(def),
    part: partColumnOf(def),
    ...(def.partition === undefined ? {} : { partition: def.partition }),
    // What goes on where an earlier run broke off brings the rest, not the whole.
    whole: (def.replication.mode === "full_table" && bookmark?.pass == null) || bookmark === null,
  };
}
