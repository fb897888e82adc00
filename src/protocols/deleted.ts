import { columnsOf, OBSERVED_AT, type Column } from "../core/columns.js";
import { cursorOf, partColumnOf } from "../core/declared.js";
import type { ConnectorError } from "../core/errors.js";
import type { StreamOutcome } from "../core/events.js";
import { decodeIds, encodeIds } from "../core/idset.js";
import { textOf, type Json } from "../core/json.js";
import type { RunInfo, Sink, SinkStream } from "../core/ports.js";
import type { Checkpoint, RecordBatch, Row, Scope } from "../core/record.js";
import type { Bookmark, State } from "../core/state.js";
import type { StreamDef } from "../core/stream.js";
import { MAX_VANISHED_RATIO, tooManyVanished } from "../core/vanished.js";

/** How a protocol tells of deletions. */
export interface DeletedStyle {
  /** Column that is null in rows that are there. */
  readonly column: Column;
  /**
   * Whether what is handed over whole takes the place of earlier rows: nobody needs to be told then.
   */
  readonly replacesWhole: boolean;
}

const column = (name: string): Column => ({
  name,
  type: "timestamp",
  nullable: true,
  description:
    "Start of the run that found the row gone from KnowBe4, UTC; null while it is there. Beside it only the key is filled.",
});

/** Singer targets merge on the key whatever comes; `_sdc_deleted_at` is theirs for soft deletion. */
export const SINGER_DELETED: DeletedStyle = {
  column: column("_sdc_deleted_at"),
  replacesWhole: false,
};

/** Airbyte's destinations take rows out, or keep them marked, by `_ab_cdc_deleted_at`. */
export const AIRBYTE_DELETED: DeletedStyle = {
  column: column("_ab_cdc_deleted_at"),
  replacesWhole: true,
};

/** Columns of a stream with the one of its deletions, if they can be told. */
export function withDeleted(
  style: DeletedStyle,
  columns: (def: StreamDef) => readonly Column[] = columnsOf,
): (def: StreamDef) => readonly Column[] {
  return (def) => {
    const all = columns(def);
    const { primaryKey } = def;
    const stream = { columns: all, primaryKey, cursor: cursorOf(def), part: partColumnOf(def) };
    return keyColumnOf(stream, style) === null ? all : added(all, style.column);
  };
}

/** `_observed_at` stays last. */
function added(columns: readonly Column[], column: Column): readonly Column[] {
  const isObserved = ({ name }: Column) => name === OBSERVED_AT.name;
  return [...columns.filter((c) => !isObserved(c)), column, ...columns.filter(isObserved)];
}

/**
 * The column that tells rows of one part apart, if it is the only one and the whole key is of whole
 * numbers: of anything else a state could not remember as many as there are.
 */
function keyColumnOf(
  {
    columns,
    primaryKey,
    cursor,
    part,
  }: Pick<SinkStream, "columns" | "primaryKey" | "cursor" | "part">,
  { replacesWhole }: DeletedStyle,
): string | null {
  if (replacesWhole && cursor === null) return null;
  const isNumber = (key: string) => columns.find(({ name }) => name === key)?.type === "integer";
  const [key, ...others] = primaryKey.filter((name) => name !== part);
  return key !== undefined && others.length === 0 && primaryKey.every(isNumber) ? key : null;
}

/** What is known of the rows that a target has of one stream. */
interface Track {
  /** All but `_observed_at`. */
  readonly columns: readonly string[];
  readonly key: string;
  /** Column of the part; null if the stream has none, or it is not selected. */
  readonly part: string | null;
  /** Whether the part is also part of the key: the same number below two parts is two rows then. */
  readonly isApart: boolean;
  /** Whether anybody is told. */
  readonly tells: boolean;
  /** How many rows there were when the run began. */
  readonly before: number;
  /** Keys by part, as they stand in the state: few of them are looked at in a run. */
  readonly known: Map<string, string>;
  /** Keys that came since the last checkpoint, by part. */
  seen: Map<string, Set<number>>;
  /** How many were told to be gone in this run. */
  gone: number;
  refused?: ConnectorError;
}

/** A row that is gone. */
interface Gone {
  readonly part: string;
  readonly id: number;
}

/** What a `DeletedRecords` needs to know. */
export interface DeletedOptions {
  readonly style: DeletedStyle;
  /** Largest part of a stream's rows that may be told to be gone in a run; Infinity for any number. */
  readonly most?: number;
  /** Streams whose target has the column; all unless given. */
  readonly only?: ReadonlySet<string>;
}

/**
 * Tells a protocol's reader of rows that are not at the source any more: a row with nothing but
 * its key and the time, once, before the checkpoint after which it would not be found again.
 *
 * What is gone is told by what a {@link Scope} says was read completely, and by the keys that earlier
 * runs left in the bookmark. If more of a stream had gone than is believed, it is told nothing, its
 * bookmark stays where it was, and it fails.
 */
export class DeletedRecords implements Sink {
  readonly #sink: Sink;
  readonly #options: DeletedOptions;
  readonly #tracks = new Map<string, Track>();
  #state: State | undefined;
  #startedAt = "";

  /** @param sink where everything goes. */
  constructor(sink: Sink, options: DeletedOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  get name(): string {
    return this.#sink.name;
  }

  get refusals(): readonly ConnectorError[] {
    const own = [...this.#tracks.values()].flatMap(({ refused }) => refused ?? []);
    return [...(this.#sink.refusals ?? []), ...own];
  }

  async open(run: RunInfo, signal: AbortSignal): Promise<void> {
    this.#state = run.state;
    this.#startedAt = run.startedAt;
    await this.#sink.open(run, signal);
  }

  async declare(stream: SinkStream): Promise<void> {
    const { style, only } = this.#options;
    const key = keyColumnOf(stream, style);
    if (key === null || only?.has(stream.name) === false) return this.#sink.declare(stream);
    if (!this.#tracks.has(stream.name)) {
      const bookmark = this.#state?.bookmarks[stream.name];
      this.#tracks.set(stream.name, trackOf(stream, key, style, bookmark));
    }
    await this.#sink.declare({ ...stream, columns: added(stream.columns, style.column) });
  }

  async write(batch: RecordBatch): Promise<readonly Checkpoint[]> {
    const track = this.#tracks.get(batch.stream);
    if (track === undefined) return this.#sink.write(batch);
    for (const row of batch.rows) see(track, row);
    const { column } = this.#options.style;
    const rows = batch.rows.map((row): Row => ({ ...row, [column.name]: null }));
    const { checkpoint, scopes = [] } = batch;
    if (checkpoint === null) return this.#sink.write({ ...batch, rows });
    const missing = settle(track, scopes);
    const gone = track.tells ? missing : [];
    this.#judge(batch.stream, track, gone.length);
    // With its bookmark the stream would not be read again, and nobody would ask again.
    if (track.refused !== undefined) return this.#sink.write({ ...batch, rows, checkpoint: null });
    track.gone += gone.length;
    for (const row of gone) rows.push(this.#tombstone(track, row));
    const bookmark = { ...checkpoint.bookmark, keys: Object.fromEntries(track.known) };
    return this.#sink.write({ ...batch, rows, checkpoint: { ...checkpoint, bookmark } });
  }

  async end(outcome: StreamOutcome): Promise<readonly Checkpoint[]> {
    const error = this.#tracks.get(outcome.stream)?.refused;
    const isTold = error === undefined || outcome.error !== undefined;
    return this.#sink.end(isTold ? outcome : { ...outcome, status: "failed", error });
  }

  async flush(): Promise<readonly Checkpoint[]> {
    return this.#sink.flush();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sink[Symbol.asyncDispose]();
  }

  #judge(stream: string, track: Track, gone: number): void {
    const { most = MAX_VANISHED_RATIO } = this.#options;
    const vanished = track.gone + gone;
    if (gone === 0 || vanished <= track.before * most) return;
    const setting = `deleted_records believes at most ${String(most * 100)} %`;
    const refusal = { stream, vanished, live: track.before };
    track.refused ??= tooManyVanished(refusal, setting, 'deleted_records "all"');
  }

  /** Nothing but the key and the time: the rest is not known any more. */
  #tombstone({ columns, key, part, isApart }: Track, gone: Gone): Row {
    const none = Object.fromEntries(columns.map((name): [string, Json] => [name, null]));
    const above = isApart && part !== null ? { [part]: Number(gone.part) } : {};
    const { column } = this.#options.style;
    return { ...none, ...above, [key]: gone.id, [column.name]: this.#startedAt };
  }
}

function trackOf(
  stream: SinkStream,
  key: string,
  { replacesWhole }: DeletedStyle,
  bookmark: Bookmark | undefined,
): Track {
  const columns = stream.columns
    .map(({ name }) => name)
    .filter((name) => name !== OBSERVED_AT.name);
  const part = stream.part != null && columns.includes(stream.part) ? stream.part : null;
  const known = new Map(Object.entries(bookmark?.keys ?? {}));
  const counts = [...known.values()].map((ids) => decodeIds(ids).size);
  return {
    columns,
    key,
    part,
    isApart: part !== null && stream.primaryKey.includes(part),
    tells: !(replacesWhole && stream.whole),
    before: counts.reduce((sum, n) => sum + n, 0),
    known,
    seen: new Map(),
    gone: 0,
  };
}

/** A part's name: its value as text, nothing for none. */
function partOf(value: Json | undefined): string {
  return value == null ? "" : textOf(value);
}

function see({ key, part, seen }: Track, row: Row): void {
  const id = row[key];
  if (typeof id !== "number") return;
  const name = part === null ? "" : partOf(row[part]);
  const ids = seen.get(name);
  if (ids === undefined) seen.set(name, new Set([id]));
  else ids.add(id);
}

/** Takes what came since the last checkpoint into what is known; returns what did not come. */
function settle(track: Track, scopes: readonly Scope[]): readonly Gone[] {
  const { seen, known } = track;
  track.seen = new Map();
  const read = partsRead(track, seen, scopes);
  const missing: Gone[] = [];
  for (const part of read) {
    const came = seen.get(part) ?? new Set<number>();
    for (const id of decodeIds(known.get(part) ?? "")) {
      if (!came.has(id)) missing.push({ part, id });
    }
    if (came.size === 0) known.delete(part);
    else known.set(part, encodeIds(came));
  }
  for (const [part, came] of seen) {
    if (read.has(part)) continue;
    known.set(part, encodeIds([...decodeIds(known.get(part) ?? ""), ...came]));
  }
  if (track.isApart || missing.length === 0) return missing;
  // What stands below another part now has moved there.
  const there = new Set([...known.values()].flatMap((ids) => [...decodeIds(ids)]));
  const gone = new Map(missing.map((row) => [row.id, row]));
  return [...gone.values()].filter(({ id }) => !there.has(id));
}

/** Names of the parts of which every row came. */
function partsRead(
  { part, known }: Track,
  seen: ReadonlyMap<string, unknown>,
  scopes: readonly Scope[],
): ReadonlySet<string> {
  if (scopes.some(({ kind }) => kind === "whole"))
    return new Set([...known.keys(), ...seen.keys()]);
  const read = new Set<string>();
  for (const scope of scopes) {
    if (scope.kind === "whole" || scope.column !== part) continue;
    if (scope.kind === "part") read.add(partOf(scope.value));
    else {
      const listed = new Set(scope.listed.map(partOf));
      for (const name of known.keys()) if (name !== "" && !listed.has(name)) read.add(name);
    }
  }
  return read;
}
