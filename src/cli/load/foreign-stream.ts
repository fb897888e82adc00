import { EXTRA, OBSERVED_AT, type Column } from "../../core/columns.js";
import { isObject, type Json } from "../../core/json.js";
import { normaliser, type Normalise, type Normalised } from "../../core/normalise.js";
import type { SinkStream } from "../../core/ports.js";
import type { RecordBatch, Reject, Row } from "../../core/record.js";
import { columnsFromSchema } from "../../protocols/singer/foreign.js";
import type { RecordMessage, SchemaMessage } from "../../protocols/singer/reader.js";

/** Rows that are handed on at once. */
const BATCH = 500;

/**
 * One stream of another tap, or of ours: its rows brought into the shape of its SCHEMA and gathered
 * into batches. What the SCHEMA does not say goes to `_extra`.
 */
export class ForeignStream {
  readonly declaration: SinkStream;
  readonly #normalise: Normalise;
  readonly #hasExtra: boolean;
  #rows: Row[] = [];
  #rejects: Reject[] = [];
  #extractedAt = "";
  #observedAt: string | null = null;

  /** @param drift called with the name of each field that the SCHEMA does not have. */
  constructor(message: SchemaMessage, drift: (field: string) => void) {
    const { stream, schema, keyProperties, bookmarkProperties } = message;
    const own = columnsFromSchema(schema, keyProperties);
    const isOurs = ({ name }: Column) => name === EXTRA.name || name === OBSERVED_AT.name;
    const plain = own.filter((column) => !isOurs(column));
    const observed = own.filter(({ name }) => name === OBSERVED_AT.name);
    this.#hasExtra = own.some(({ name }) => name === EXTRA.name);
    this.declaration = {
      name: stream,
      description: typeof schema["description"] === "string" ? schema["description"] : "",
      columns: [...plain, EXTRA, ...observed],
      primaryKey: keyProperties,
      cursor: bookmarkProperties[0] ?? null,
      whole: false,
    };
    this.#normalise = normaliser(
      {
        name: stream,
        columns: [...plain, EXTRA],
        declared: plain,
        primaryKey: keyProperties,
        aliases: {},
        bound: [],
        ignored: own.filter(isOurs).map(({ name }) => name),
      },
      drift,
    );
  }

  /** Whether so many rows have gathered that {@link take} is due. */
  get isDue(): boolean {
    return this.#rows.length + this.#rejects.length >= BATCH;
  }

  /** Takes a row. False if it does not fit the SCHEMA. */
  add({ record, timeExtracted }: RecordMessage, now: string): boolean {
    const into: Normalised = { rows: [], rejects: [] };
    this.#normalise(record, {}, into);
    this.#rejects.push(...into.rejects);
    for (const row of into.rows) this.#rows.push(this.#withExtra(row, record[EXTRA.name]));
    if (this.#rows.length + this.#rejects.length === 1) {
      this.#extractedAt = instant(timeExtracted) ?? now;
      this.#observedAt = instant(record[OBSERVED_AT.name]) ?? null;
    }
    return into.rejects.length === 0;
  }

  /** What has gathered, as one batch without a checkpoint; undefined if nothing has. */
  take(): RecordBatch | undefined {
    if (this.#rows.length + this.#rejects.length === 0) return undefined;
    const batch: RecordBatch = {
      stream: this.declaration.name,
      rows: this.#rows,
      rejects: this.#rejects,
      extractedAt: this.#extractedAt,
      observedAt: this.#observedAt,
      checkpoint: null,
    };
    this.#rows = [];
    this.#rejects = [];
    return batch;
  }

  /** Our own tap has an `_extra` already. */
  #withExtra(row: Row, before: Json | undefined): Row {
    if (!this.#hasExtra || !isObject(before)) return row;
    const found = row[EXTRA.name];
    const added = isObject(found) ? (found as Row) : {};
    return { ...row, [EXTRA.name]: { ...(before as Row), ...added } };
  }
}

/** A time in the shape that rows have; undefined for anything else. */
function instant(value: Json | undefined): string | undefined {
  if (typeof value !== "string") return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
