import { columnsOf } from "../../core/columns.js";
import { cursorOf } from "../../core/declared.js";
import { isObject, type JsonObject } from "../../core/json.js";
import { automaticFields, unknownStream, type Selection } from "../../core/plan.js";
import type { StreamDef } from "../../core/stream.js";
import { nodesOf, type SchemaNode } from "./catalog.js";
import { givenStreams, isNames, keyOf, refused, type GivenStream } from "./given.js";

/** What is read when no catalog is given: every stream that is not off by default, whole rows. */
export function defaultSelection(streams: readonly StreamDef[]): readonly Selection[] {
  return streams
    .filter((def) => def.selectedByDefault !== false)
    .map((def) => ({ stream: def.name, deselected: new Set<string>(), fullRefresh: false }));
}

/**
 * What a catalog selects, by the rules of the Meltano SDK: a node below a deselected one is out,
 * then `inclusion`, `selected` and `selected-by-default` decide in this order, then its parent.
 * A stream without any metadata is selected whole; properties files, which have `selected` within
 * the schema, are read the same way. Fields that the catalog's schema does not have are left out.
 *
 * @param name how the user knows the file, for messages.
 * @throws ConnectorError `config` for a shape that is not a catalog's, a selected stream that does
 *   not exist, and for a key or replication that this tap cannot give.
 */
export function readSelection(
  catalog: unknown,
  streams: readonly StreamDef[],
  name: string,
): readonly Selection[] {
  const selections: Selection[] = [];
  for (const given of givenStreams(catalog, name)) {
    if (!isStreamSelected(given)) continue;
    const def = streams.find((s) => s.name === given.name);
    if (def === undefined) {
      throw unknownStream(
        given.name,
        streams.map((s) => s.name),
      );
    }
    checkKeys(given, def);
    selections.push({
      stream: def.name,
      deselected: deselectedFields(given, def),
      fullRefresh: asksForAll(given) && cursorOf(def) !== null,
    });
  }
  return selections;
}

function isStreamSelected(given: GivenStream): boolean {
  const silent = given.metadata.size === 0 && !mentionsSelected(given.schema);
  return decide(metadataAt(given, [], given.schema), silent, given.place);
}

/** Whether a properties file selects anything: `selected` stands in the schema's own nodes. */
function mentionsSelected(schema: unknown): boolean {
  if (!isObject(schema)) return false;
  if (typeof schema["selected"] === "boolean" || typeof schema["selected"] === "string")
    return true;
  const { properties, items } = schema;
  return (
    mentionsSelected(items) ||
    (isObject(properties) && Object.values(properties).some((node) => mentionsSelected(node)))
  );
}

function deselectedFields(given: GivenStream, def: StreamDef): ReadonlySet<string> {
  const out = new Set<string>();
  const automatic = automaticFields(def);
  const visit = (inside: readonly SchemaNode[], parent: unknown, above: boolean): void => {
    const known = propertiesOf(parent);
    for (const { column, breadcrumb, path, members } of inside) {
      const node = known?.[column.name];
      const missing = known !== null && node === undefined;
      const said = metadataAt(given, breadcrumb, node);
      const chosen = above && !missing && decide(said, above, `${given.place}: ${path}`);
      if (!chosen && !automatic.has(path)) out.add(path);
      visit(members, column.list === true && isObject(node) ? node["items"] : node, chosen);
    }
  };
  visit(nodesOf(columnsOf(def)), given.schema, true);
  return out;
}

/** Names that a schema gives; null if it gives none and so narrows nothing. */
function propertiesOf(schema: unknown): JsonObject | null {
  if (!isObject(schema)) return null;
  return isObject(schema["properties"]) ? schema["properties"] : null;
}

/** Selection words in a schema node, as old properties files have them, and over them metadata. */
function metadataAt(given: GivenStream, breadcrumb: readonly string[], node: unknown): JsonObject {
  const said = given.metadata.get(keyOf(breadcrumb)) ?? {};
  if (!isObject(node)) return said;
  const { selected, inclusion, "selected-by-default": byDefault } = node;
  return { selected, inclusion, "selected-by-default": byDefault, ...said };
}

function decide(said: JsonObject, inherited: boolean, place: string): boolean {
  const { inclusion } = said;
  if (inclusion === "unsupported") return false;
  if (inclusion === "automatic") return true;
  return truth(said, "selected", place) ?? truth(said, "selected-by-default", place) ?? inherited;
}

/** Platforms write booleans as text too; for the SDK any text, `"false"` as well, is true. */
function truth(said: JsonObject, key: string, place: string): boolean | undefined {
  const value = said[key];
  if (value == null) return undefined;
  if (typeof value === "boolean") return value;
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  if (text === "true" || text === "false") return text === "true";
  throw refused(`${place}: ${key}`, "is neither true nor false");
}

/** Whether the user asks for the stream to be read from the beginning. */
function asksForAll(given: GivenStream): boolean {
  const { entry, place } = given;
  const root = given.metadata.get(keyOf([])) ?? {};
  // Runners write both spellings; the dashed one in the metadata is what a user wrote.
  const method =
    root["replication-method"] ??
    root["replication_method"] ??
    entry["replication_method"] ??
    entry["replication-method"];
  if (method == null) return false;
  if (method !== "FULL_TABLE" && method !== "INCREMENTAL") {
    throw refused(`${place}: replication-method`, "must be FULL_TABLE or INCREMENTAL");
  }
  return method === "FULL_TABLE" && root["forced-replication-method"] !== "INCREMENTAL";
}

/** A key that we would not keep to must not be taken for one that we do. */
function checkKeys(given: GivenStream, def: StreamDef): void {
  const root = given.metadata.get(keyOf([])) ?? {};
  const cursor = cursorOf(def);
  for (const [key, value] of [
    ["replication-key", root["replication-key"] ?? null],
    ["replication_key", given.entry["replication_key"] ?? null],
  ] as const) {
    if (value === null || value === "" || value === cursor) continue;
    const what = cursor === null ? "cannot be set: the stream has none" : `must be "${cursor}"`;
    throw refused(`${given.place}: ${key}`, what);
  }
  for (const [key, value] of [
    ["table-key-properties", root["table-key-properties"] ?? null],
    ["key_properties", given.entry["key_properties"] ?? null],
  ] as const) {
    if (value === null) continue;
    const same = isNames(value) && [...value].sort().join() === [...def.primaryKey].sort().join();
    if (!same) throw refused(`${given.place}: ${key}`, `must be ${def.primaryKey.join(", ")}`);
  }
}
