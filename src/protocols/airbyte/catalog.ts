import { columnSchema, columnsOf, type Column, type JsonSchema } from "../../core/columns.js";
import { cursorOf } from "../../core/declared.js";
import type { JsonObject } from "../../core/json.js";
import type { StreamDef } from "../../core/stream.js";

/**
 * The catalog of these streams, as `discover` prints it. The same streams give the same bytes.
 *
 * @param columns of a stream, where privacy rules change them.
 */
export function airbyteCatalog(
  streams: readonly StreamDef[],
  columns: (def: StreamDef) => readonly Column[] = columnsOf,
): JsonObject {
  return { streams: streams.map((def) => streamOf(def, columns(def))) };
}

function streamOf(def: StreamDef, columns: readonly Column[]): JsonObject {
  const cursor = cursorOf(def);
  return {
    name: def.name,
    json_schema: {
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      description: def.description,
      additionalProperties: true,
      properties: Object.fromEntries(columns.map((c) => [c.name, typed(c)])),
    },
    supported_sync_modes: cursor === null ? ["full_refresh"] : ["full_refresh", "incremental"],
    ...(cursor === null ? {} : { source_defined_cursor: true, default_cursor_field: [cursor] }),
    source_defined_primary_key: def.primaryKey.map((key) => [key]),
    // A listing without an order cannot be resumed in its middle.
    is_resumable: cursor !== null,
  };
}

/** A column's schema, saying of every instant that it has a zone. */
function typed(column: Column): JsonSchema {
  return withZones(columnSchema(column));
}

function withZones(schema: JsonSchema): JsonSchema {
  const { items, properties } = schema;
  return {
    ...schema,
    ...(schema.format === "date-time" ? { airbyte_type: "timestamp_with_timezone" } : {}),
    ...(items === undefined ? {} : { items: withZones(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, node]) => [name, withZones(node)]),
          ),
        }),
  };
}
