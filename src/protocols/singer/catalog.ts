import { columnSchema, columnsOf, type Column, type JsonSchema } from "../../core/columns.js";
import { cursorOf } from "../../core/declared.js";
import { automaticFields } from "../../core/plan.js";
import type { StreamDef } from "../../core/stream.js";
import { SINGER_DELETED } from "../deleted.js";

/** What is said about one node of a schema; the empty breadcrumb is the stream itself. */
export interface MetadataEntry {
  readonly breadcrumb: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** One stream of a Singer catalog. */
export interface CatalogEntry {
  readonly tap_stream_id: string;
  readonly stream: string;
  readonly key_properties: readonly string[];
  readonly replication_method: "FULL_TABLE" | "INCREMENTAL";
  /** Only of incremental streams. */
  readonly replication_key?: string;
  readonly schema: JsonSchema;
  readonly metadata: readonly MetadataEntry[];
}

/** A Singer catalog: what `--discover` prints. */
export interface Catalog {
  readonly streams: readonly CatalogEntry[];
}

/**
 * The catalog of these streams. The same streams always give the same bytes.
 *
 * @param columns of a stream, where privacy rules change them.
 */
export function catalogOf(
  streams: readonly StreamDef[],
  columns: (def: StreamDef) => readonly Column[] = columnsOf,
): Catalog {
  return { streams: streams.map((def) => entryOf(def, columns(def))) };
}

/** The catalog as text, as `--discover` prints it. */
export function catalogText(
  streams: readonly StreamDef[],
  columns: (def: StreamDef) => readonly Column[] = columnsOf,
): string {
  return `${JSON.stringify(catalogOf(streams, columns), null, 2)}\n`;
}

/** JSON Schema of a stream's rows. Undeclared fields stand in `_extra`, so it forbids none. */
export function rowSchema(columns: readonly Column[]): JsonSchema {
  return {
    type: "object",
    properties: Object.fromEntries(columns.map((c) => [c.name, columnSchema(c)])),
  };
}

/** A column or a declared member of one, and where it stands in the schema. */
export interface SchemaNode {
  readonly column: Column;
  /** `["properties", "user", "properties", "email"]`; a list adds `items`. */
  readonly breadcrumb: readonly string[];
  /** `user.email`, as a selection names it. */
  readonly path: string;
  /** Nodes of its declared members. */
  readonly members: readonly SchemaNode[];
}

/** The nodes of a row's schema. */
export function nodesOf(
  columns: readonly Column[],
  below: readonly string[] = [],
  prefix = "",
): readonly SchemaNode[] {
  return columns.map((column) => {
    const breadcrumb = [...below, "properties", column.name];
    const inside = column.list === true ? [...breadcrumb, "items"] : breadcrumb;
    const path = prefix + column.name;
    const members = nodesOf(column.members ?? [], inside, `${path}.`);
    return { column, breadcrumb, path, members };
  });
}

function entryOf(def: StreamDef, columns: readonly Column[]): CatalogEntry {
  const cursor = cursorOf(def);
  return {
    tap_stream_id: def.name,
    stream: def.name,
    key_properties: def.primaryKey,
    replication_method: cursor === null ? "FULL_TABLE" : "INCREMENTAL",
    ...(cursor === null ? {} : { replication_key: cursor }),
    schema: rowSchema(columns),
    metadata: [...propertyMetadata(nodesOf(columns), automaticFields(def)), rootMetadata(def)],
  };
}

function propertyMetadata(
  nodes: readonly SchemaNode[],
  automatic: ReadonlySet<string>,
): readonly MetadataEntry[] {
  return nodes.flatMap(({ column, breadcrumb, path, members }) => [
    {
      breadcrumb,
      metadata: {
        inclusion:
          automatic.has(path) || path === SINGER_DELETED.column.name ? "automatic" : "available",
        ...(column.pii === undefined ? {} : { pii: column.pii }),
      },
    },
    ...propertyMetadata(members, automatic),
  ]);
}

function rootMetadata(def: StreamDef): MetadataEntry {
  const cursor = cursorOf(def);
  return {
    breadcrumb: [],
    metadata: {
      inclusion: "available",
      "selected-by-default": def.selectedByDefault !== false,
      "table-key-properties": def.primaryKey,
      "valid-replication-keys": cursor === null ? [] : [cursor],
      // An incremental stream is not forced: asking for FULL_TABLE is how to read it whole again.
      ...(cursor === null
        ? { "forced-replication-method": "FULL_TABLE" }
        : { "replication-key": cursor }),
    },
  };
}
