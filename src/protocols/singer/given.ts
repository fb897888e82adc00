import { ConnectorError } from "../../core/errors.js";
import { isObject, type JsonObject } from "../../core/json.js";

/** One stream of a catalog that somebody gave us, its shape checked. */
export interface GivenStream {
  readonly name: string;
  /** Where it stands, for messages: `catalog.json: streams[2] (users)`. */
  readonly place: string;
  /** The stream's own keys, such as `replication_method`. */
  readonly entry: JsonObject;
  /** Null if the catalog has none, which narrows nothing. */
  readonly schema: JsonObject | null;
  /** Metadata by breadcrumb, see {@link keyOf}. */
  readonly metadata: ReadonlyMap<string, JsonObject>;
}

/** A breadcrumb as the key of a map. */
export function keyOf(breadcrumb: readonly string[]): string {
  return breadcrumb.join("\u0000");
}

/** A fault in what the user gave. */
export function refused(place: string, what: string): ConnectorError {
  return new ConnectorError("config", `config: ${place} ${what}`, {
    hint: "pass a catalog as --discover prints it, with selections added",
  });
}

/**
 * Reads the outer shape of a catalog.
 *
 * @param name how the user knows the file, for messages.
 * @throws ConnectorError `config` naming the place.
 */
export function givenStreams(catalog: unknown, name: string): readonly GivenStream[] {
  if (!isObject(catalog)) throw refused(name, "is not a JSON object");
  const { streams } = catalog;
  if (!Array.isArray(streams)) throw refused(`${name}: streams`, "is not a list");
  const seen = new Set<string>();
  return streams.map((entry: unknown, i) => {
    const given = givenStream(entry, `${name}: streams[${String(i)}]`);
    if (seen.has(given.name)) throw refused(given.place, "is in the catalog twice");
    seen.add(given.name);
    return given;
  });
}

function givenStream(entry: unknown, at: string): GivenStream {
  if (!isObject(entry)) throw refused(at, "is not an object");
  const name = entry["tap_stream_id"] ?? entry["stream"];
  if (typeof name !== "string" || name === "") throw refused(at, "has no tap_stream_id");
  const place = `${at} (${name})`;
  const schema = entry["schema"] ?? null;
  if (schema !== null && !isObject(schema)) throw refused(`${place}.schema`, "is not an object");
  return { name, place, entry, schema, metadata: givenMetadata(entry["metadata"], place) };
}

function givenMetadata(metadata: unknown, place: string): ReadonlyMap<string, JsonObject> {
  if (metadata == null) return new Map();
  if (!Array.isArray(metadata)) throw refused(`${place}.metadata`, "is not a list");
  const byKey = new Map<string, JsonObject>();
  for (const [i, item] of metadata.entries()) {
    const at = `${place}.metadata[${String(i)}]`;
    if (!isObject(item)) throw refused(at, "is not an object");
    const { breadcrumb, metadata: said } = item;
    if (!isNames(breadcrumb)) throw refused(`${at}.breadcrumb`, "is not a list of names");
    if (!isObject(said)) throw refused(`${at}.metadata`, "is not an object");
    const key = keyOf(breadcrumb);
    byKey.set(key, { ...byKey.get(key), ...said });
  }
  return byKey;
}

/** True for a list of texts. */
export function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === "string");
}
