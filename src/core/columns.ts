import { z } from "zod";

import { fieldMeta, type ColumnType, type Pii, type Shape } from "./fields.js";
import type { StreamDef } from "./stream.js";

/** A column as every protocol and destination understands it; derived from a stream's schema. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** False only for primary keys: the API leaves out or nulls anything else. */
  readonly nullable: boolean;
  readonly description: string;
  readonly pii?: Pii;
  readonly shape?: Shape;
  /** For `json`: whether it is a list. */
  readonly list?: boolean;
  /** For a list of plain values: their type. */
  readonly items?: Exclude<ColumnType, "json">;
  /**
   * For `json`: the declared members of the object, or of each object of the list. Without these
   * and `items` a value may be of any shape.
   */
  readonly members?: readonly Column[];
}

/** Undeclared fields of the API, under their own names. Part of every stream. */
export const EXTRA: Column = {
  name: "_extra",
  type: "json",
  nullable: true,
  members: [],
  description:
    "Fields of the API that this version does not declare, and dates that are not dates, as they came; null if there were none.",
};

/** When the run that read this version of the row started. Part of every stream. */
export const OBSERVED_AT: Column = {
  name: "_observed_at",
  type: "timestamp",
  nullable: false,
  description:
    "Start of the run that read this version of the row, UTC. Orders versions where the API has no date of its own.",
};

/** Every column of a stream: the declared fields, then {@link EXTRA} and {@link OBSERVED_AT}. */
export function columnsOf(def: StreamDef): readonly Column[] {
  const declared = Object.entries(def.schema.shape).map(([name, type]) => ({
    ...columnOf(name, type as z.ZodType, def.name),
    nullable: !def.primaryKey.includes(name),
  }));
  return [...declared, EXTRA, OBSERVED_AT];
}

function columnOf(name: string, type: z.ZodType, where: string): Column {
  const meta = fieldMeta(type);
  if (meta === undefined) {
    throw new RangeError(`${where}.${name}: declare it with a function of core/fields.ts`);
  }
  const members = membersOf(type, `${where}.${name}`);
  const items = members === undefined ? itemsOf(type, `${where}.${name}`) : undefined;
  return {
    name,
    type: meta.kind,
    nullable: true,
    description: meta.description,
    ...(meta.pii === undefined ? {} : { pii: meta.pii }),
    ...(meta.shape === undefined ? {} : { shape: meta.shape }),
    ...(type instanceof z.ZodArray ? { list: true } : {}),
    ...(items === undefined ? {} : { items }),
    ...(members === undefined ? {} : { members }),
  };
}

function itemsOf(type: z.ZodType, where: string): Column["items"] {
  if (!(type instanceof z.ZodArray)) return undefined;
  const kind = fieldMeta(type.element as z.ZodType)?.kind;
  if (kind !== undefined && kind !== "json") return kind;
  throw new RangeError(`${where}: a list holds objects or plain fields of core/fields.ts`);
}

function membersOf(type: z.ZodType, where: string): readonly Column[] | undefined {
  if (type instanceof z.ZodArray) return membersOf(type.element as z.ZodType, where);
  if (!(type instanceof z.ZodObject)) return undefined;
  return Object.entries(type.shape).map(([name, member]) =>
    columnOf(name, member as z.ZodType, where),
  );
}

/** A JSON Schema of the subset that Singer targets and Airbyte understand. */
export interface JsonSchema {
  readonly type: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean;
}

const JSON_TYPES: Readonly<Record<Exclude<ColumnType, "json">, readonly [string, string?]>> = {
  string: ["string"],
  integer: ["integer"],
  number: ["number"],
  boolean: ["boolean"],
  timestamp: ["string", "date-time"],
  date: ["string", "date"],
};

const ANY = ["object", "array", "string", "number", "boolean", "null"] as const;

/**
 * JSON Schema (draft 7) of one column. Always has a `type`, never an `anyOf`, a length or a bound:
 * targets drop or truncate columns that have.
 */
export function columnSchema(column: Column): JsonSchema {
  const nullable = (type: string) => (column.nullable ? [type, "null"] : [type]);
  const { description } = column;
  if (column.type !== "json") {
    return { ...scalarSchema(column.type, column.nullable), description };
  }
  if (column.list !== true && column.members === undefined) return { type: ANY, description };
  const object = objectSchema(column.members);
  if (column.list !== true) return { ...object, type: nullable("object"), description };
  const items: JsonSchema =
    column.members === undefined
      ? scalarSchema(column.items ?? "string", true)
      : { ...object, type: ["object", "null"] };
  return { type: nullable("array"), items, description };
}

function scalarSchema(kind: Exclude<ColumnType, "json">, nullable: boolean): JsonSchema {
  const [type, format] = JSON_TYPES[kind];
  return {
    type: nullable ? [type, "null"] : [type],
    ...(format === undefined ? {} : { format }),
  };
}

function objectSchema(members: readonly Column[] = []): Omit<JsonSchema, "type"> {
  if (members.length === 0) return { additionalProperties: true };
  const properties = Object.fromEntries(members.map((m) => [m.name, columnSchema(m)]));
  return { properties, additionalProperties: true };
}
