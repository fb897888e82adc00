import { isObject, type Json, type JsonObject } from "../../core/json.js";
import { parseExactly } from "./exact.js";
import { isNames } from "./given.js";
import { faulty, linesOf, type Line } from "./lines.js";

/** Longest line that is read, in bytes: what Meltano lets pass. */
const LINE_LIMIT = 50 * 1024 * 1024;

/** What the rows of a stream look like from here on. */
export interface SchemaMessage {
  readonly type: "SCHEMA";
  readonly line: number;
  readonly stream: string;
  readonly schema: JsonObject;
  /** Empty if the stream has no key. */
  readonly keyProperties: readonly string[];
  readonly bookmarkProperties: readonly string[];
}

/** One row. Every key property has a value. */
export interface RecordMessage {
  readonly type: "RECORD";
  readonly line: number;
  readonly stream: string;
  readonly record: Readonly<Record<string, Json>>;
  /** When it was read at the source, as the tap wrote it. */
  readonly timeExtracted: string | null;
}

/** What the tap needs to go on from here; covers every row before it. */
export interface StateMessage {
  readonly type: "STATE";
  readonly line: number;
  readonly value: Json;
}

/** A message of any Singer tap. */
export type SingerMessage = SchemaMessage | RecordMessage | StateMessage;

/** How {@link readMessages} tells what it leaves out. */
export interface ReaderOptions {
  /** Takes one line of text for people; never what a record holds. */
  readonly warn: (message: string) => void;
}

/**
 * Reads the messages of any Singer tap, one line at a time.
 *
 * @throws ConnectorError `api_contract`, as `line N: ...`, for anything that is not a message a
 *   target can rely on. Nothing of the line itself is quoted but names of streams and keys.
 */
export async function* readMessages(
  input: AsyncIterable<string | Uint8Array>,
  options: ReaderOptions,
): AsyncGenerator<SingerMessage> {
  const keys = new Map<string, readonly string[]>();
  const versioned = new Set<string>();
  for await (const line of linesOf(input, LINE_LIMIT)) {
    const message = objectOf(line);
    const type = typeOf(message, line.number);
    switch (type) {
      case "SCHEMA": {
        const schema = schemaMessage(message, line.number);
        keys.set(schema.stream, schema.keyProperties);
        yield schema;
        break;
      }
      case "RECORD":
        yield recordMessage(message, line.number, keys);
        break;
      case "STATE":
        if (!("value" in message)) throw faulty(line.number, "STATE without value");
        yield { type, line: line.number, value: message["value"] as Json };
        break;
      case "ACTIVATE_VERSION": {
        const stream = streamOf(message, line.number, type);
        if (versioned.has(stream)) break;
        versioned.add(stream);
        options.warn(
          `line ${String(line.number)}: ACTIVATE_VERSION of ${shown(stream)} is ignored: rows that it would remove stay`,
        );
        break;
      }
      case "BATCH":
        throw faulty(
          line.number,
          "BATCH is not supported: rows must come as RECORD messages",
          "take batch_config out of the tap's configuration",
        );
    }
  }
}

const TYPES = ["SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION", "BATCH"] as const;

function objectOf({ number, text }: Line): JsonObject {
  let value: unknown;
  try {
    value = parseExactly(text);
  } catch (error) {
    // The parser's own message quotes the line, so it is not even kept as the cause.
    throw faulty(number, error instanceof RangeError ? "nested too deeply" : "not JSON");
  }
  if (!isObject(value)) throw faulty(number, "not a JSON object");
  return value;
}

function typeOf(message: JsonObject, line: number): (typeof TYPES)[number] {
  const { type } = message;
  if (typeof type !== "string") throw faulty(line, "no type");
  const known = TYPES.find((t) => t === type);
  if (known !== undefined) return known;
  const meant = TYPES.find((t) => t === type.toUpperCase());
  if (meant !== undefined) throw faulty(line, `type must be written in upper case: ${meant}`);
  throw faulty(line, "unknown type of message");
}

function streamOf(message: JsonObject, line: number, type: string): string {
  const { stream } = message;
  if (typeof stream === "string" && stream !== "") return stream;
  throw faulty(line, `${type} without stream`);
}

function schemaMessage(message: JsonObject, line: number): SchemaMessage {
  const stream = streamOf(message, line, "SCHEMA");
  const of = `SCHEMA of ${shown(stream)}`;
  const { schema, key_properties: keys, bookmark_properties: bookmarks } = message;
  if (!isObject(schema)) throw faulty(line, `${of} without schema`);
  const { properties } = schema;
  if (!isObject(properties)) throw faulty(line, `${of}: the schema has no properties`);
  if (!isNames(keys)) {
    throw faulty(line, `${of} without key_properties`, "a stream without a key has an empty list");
  }
  const missing = keys.find((key) => !Object.hasOwn(properties, key));
  if (missing !== undefined) {
    throw faulty(line, `${of}: key property ${shown(missing)} is not in the schema`);
  }
  const bookmarkProperties = isNames(bookmarks) ? bookmarks : [];
  return { type: "SCHEMA", line, stream, schema, keyProperties: keys, bookmarkProperties };
}

function recordMessage(
  message: JsonObject,
  line: number,
  keys: ReadonlyMap<string, readonly string[]>,
): RecordMessage {
  const stream = streamOf(message, line, "RECORD");
  const { record, time_extracted: time } = message;
  const key = keys.get(stream);
  if (key === undefined) throw faulty(line, `RECORD of ${shown(stream)} before its SCHEMA`);
  if (!isObject(record)) throw faulty(line, `RECORD of ${shown(stream)} without record`);
  for (const name of key) {
    if (Object.hasOwn(record, name) && record[name] !== null) continue;
    throw faulty(line, `RECORD of ${shown(stream)} without key property ${shown(name)}`);
  }
  return {
    type: "RECORD",
    line,
    stream,
    record: record as Readonly<Record<string, Json>>,
    timeExtracted: typeof time === "string" ? time : null,
  };
}

/** A name that somebody else chose: in quotes, on one line, not too long. */
function shown(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
