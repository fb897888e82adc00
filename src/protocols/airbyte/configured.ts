import { columnsOf } from "../../core/columns.js";
import { cursorOf } from "../../core/declared.js";
import { ConnectorError } from "../../core/errors.js";
import { isObject } from "../../core/json.js";
import { automaticFields, unknownStream, type Selection } from "../../core/plan.js";
import type { StreamDef } from "../../core/stream.js";

/** What a configured catalog asks for. */
export interface Configured {
  readonly selections: readonly Selection[];
  /** Streams that do not exist, by name: the others are read all the same, and the run fails. */
  readonly unknown: ReadonlyMap<string, ConnectorError>;
  /** Streams that are read whole although that is not what was asked for. */
  readonly wholeOnly: readonly string[];
  /** Streams that are read incrementally, and the columns of their rows as the target has them. */
  readonly incremental: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Reads a configured catalog.
 *
 * Columns that its schema leaves out are deselected. A stream that can only be read whole is, even
 * where `incremental` was asked for: some platforms always ask for it.
 *
 * @param name how the user knows the file, for messages.
 * @throws ConnectorError `config` for a shape that is not a configured catalog's.
 */
export function readConfigured(
  catalog: unknown,
  streams: readonly StreamDef[],
  name: string,
): Configured {
  if (!isObject(catalog)) throw refused(name, "is not a JSON object");
  const { streams: given } = catalog;
  if (!Array.isArray(given)) throw refused(`${name}: streams`, "is not a list");
  const selections = new Map<string, Selection>();
  const unknown = new Map<string, ConnectorError>();
  const wholeOnly: string[] = [];
  const incremental = new Map<string, ReadonlySet<string>>();
  for (const [i, entry] of given.entries()) {
    const at = `${name}: streams[${String(i)}]`;
    const { stream, schema, mode } = entryOf(entry, at);
    const def = streams.find((s) => s.name === stream);
    if (def === undefined) {
      const names = streams.map((s) => s.name);
      unknown.set(stream, unknownStream(stream, names));
      continue;
    }
    if (selections.has(stream)) throw refused(`${at} (${stream})`, "is in the catalog twice");
    if (mode === "incremental") {
      if (cursorOf(def) === null) wholeOnly.push(stream);
      else incremental.set(stream, new Set(propertiesOf(schema)));
    }
    const fullRefresh = mode === "full_refresh";
    selections.set(stream, { stream, deselected: leftOut(def, schema), fullRefresh });
  }
  return { selections: [...selections.values()], unknown, wholeOnly, incremental };
}

const MODES = ["full_refresh", "incremental"];

function entryOf(
  entry: unknown,
  at: string,
): { readonly stream: string; readonly schema: unknown; readonly mode: string } {
  if (!isObject(entry)) throw refused(at, "is not an object");
  const { stream, sync_mode: mode } = entry;
  if (!isObject(stream)) throw refused(`${at}.stream`, "is not an object");
  const { name, json_schema: schema } = stream;
  if (typeof name !== "string" || name === "") throw refused(`${at}.stream`, "has no name");
  if (typeof mode === "string" && MODES.includes(mode)) return { stream: name, schema, mode };
  throw refused(`${at} (${name}): sync_mode`, `must be ${MODES.join(" or ")}`);
}

/** Fields that the user's own copy of the schema does not have; none if it has no fields at all. */
function leftOut(def: StreamDef, schema: unknown): ReadonlySet<string> {
  const properties = new Set(propertiesOf(schema));
  if (properties.size === 0) return new Set();
  const automatic = automaticFields(def);
  return new Set(
    columnsOf(def)
      .map((column) => column.name)
      .filter((column) => !properties.has(column) && !automatic.has(column)),
  );
}

function propertiesOf(schema: unknown): readonly string[] {
  const properties = isObject(schema) ? schema["properties"] : undefined;
  return isObject(properties) ? Object.keys(properties) : [];
}

function refused(place: string, what: string): ConnectorError {
  return new ConnectorError("config", `catalog: ${place} ${what}`, {
    hint: "pass a configured catalog made from what discover prints",
  });
}
