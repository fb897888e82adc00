import { OBSERVED_AT } from "../../core/columns.js";
import { ConnectorError } from "../../core/errors.js";
import type { StreamOutcome } from "../../core/events.js";
import { canonical, stringify, type Json } from "../../core/json.js";
import type { RunInfo, Sink, SinkStream } from "../../core/ports.js";
import type { Checkpoint, RecordBatch, Row } from "../../core/record.js";
import { applyCheckpoints, EMPTY_STATE, type State } from "../../core/state.js";
import { rowSchema } from "./catalog.js";
import { Pipe } from "./pipe.js";

/** Characters that are gathered before they are written. More saves nothing, less costs calls. */
const CHUNK = 65_536;

/** Longest message line, in bytes. Meltano refuses more than half its `elt.buffer_size`. */
const LINE_LIMIT = 50 * 1024 * 1024;

/** Characters that JSON leaves as they are and some readers of lines take for a line's end. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

/**
 * Writes Singer messages: SCHEMA when a stream is declared, RECORD lines, and STATE after the
 * records that it covers.
 *
 * The first line is the state that the run starts from, so that a target has one before its first
 * flush. The state is written whole each time, with sorted keys, and never twice in a row.
 */
export class SingerWriter implements Sink {
  readonly name = "singer";
  readonly #pipe: Pipe<Checkpoint>;
  readonly #schemas = new Map<string, string>();
  #state: State = EMPTY_STATE;
  #lastState = "";
  /** Lines not yet handed to the pipe, and the checkpoints that they cover. */
  #text = "";
  #covered: Checkpoint[] = [];

  /** @param out usually stdout; it is never closed. */
  constructor(out: NodeJS.WritableStream) {
    this.#pipe = new Pipe(out);
  }

  async open(run: RunInfo, signal: AbortSignal): Promise<void> {
    this.#pipe.watch(signal);
    this.#state = run.state;
    this.#addState();
    await this.#push();
  }

  async declare(stream: SinkStream): Promise<void> {
    const line = stringify({
      type: "SCHEMA",
      stream: stream.name,
      schema: rowSchema(stream.columns) as unknown as Json,
      key_properties: stream.primaryKey,
      ...(stream.cursor === null ? {} : { bookmark_properties: [stream.cursor] }),
    });
    // Some targets write out all they hold at every SCHEMA, so it comes again only if it changed.
    if (this.#schemas.get(stream.name) === line) return;
    this.#schemas.set(stream.name, line);
    this.#text += `${line}\n`;
    if (this.#text.length >= CHUNK) await this.#push();
  }

  async write(batch: RecordBatch): Promise<readonly Checkpoint[]> {
    this.#pipe.check();
    const { stream, observedAt, extractedAt, checkpoint } = batch;
    const head = `{"type":"RECORD","stream":${JSON.stringify(stream)},"record":`;
    const observed =
      observedAt === null ? "" : `"${OBSERVED_AT.name}":${JSON.stringify(observedAt)}`;
    const tail = `},"time_extracted":${JSON.stringify(extractedAt)}}\n`;
    let text = this.#text;
    for (const row of batch.rows) {
      text += head + rowText(row, stream, observed) + tail;
      if (text.length < CHUNK) continue;
      this.#text = text;
      await this.#push();
      text = "";
    }
    this.#text = text;
    if (checkpoint !== null) {
      this.#state = applyCheckpoints(this.#state, [checkpoint]);
      this.#addState();
      this.#covered.push(checkpoint);
    }
    // A target gets what there is: the next page may be a minute away.
    await this.#push();
    return this.#pipe.take();
  }

  async end(_outcome: StreamOutcome): Promise<readonly Checkpoint[]> {
    return this.flush();
  }

  async flush(): Promise<readonly Checkpoint[]> {
    await this.#push();
    await this.#pipe.settled();
    return this.#pipe.take();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#text = "";
    this.#covered = [];
    await Promise.resolve();
  }

  #addState(): void {
    const value = canonical(this.#state as unknown as Json);
    if (value === this.#lastState) return;
    this.#lastState = value;
    this.#text += `{"type":"STATE","value":${value}}\n`;
  }

  async #push(): Promise<void> {
    const text = this.#text;
    const covered = this.#covered;
    this.#text = "";
    this.#covered = [];
    // Waiting before a write and not after it lets the next lines be made while these are taken.
    if (this.#pipe.lags) await this.#pipe.drained();
    this.#pipe.write(onOneLine(text), covered);
  }
}

/** The row as text without its closing brace, `_observed_at` last. */
function rowText(row: Row, stream: string, observed: string): string {
  const text = stringify(row);
  if (text.length > LINE_LIMIT / 3) checkLength(text, stream);
  if (observed === "") return text.slice(0, -1);
  return text.slice(0, -1) + (text.length === 2 ? observed : `,${observed}`);
}

function checkLength(text: string, stream: string): void {
  const bytes = Buffer.byteLength(text);
  // A kilobyte for what stands round the row.
  if (bytes <= LINE_LIMIT - 1024) return;
  const size = `${String(Math.ceil(bytes / 1024 / 1024))} MiB`;
  throw new ConnectorError("bad_record", `${stream}: a row of ${size} is too long for a message`, {
    hint: "leave out the field that is this large; Meltano reads lines of at most 50 MiB",
    context: { stream, bytes },
  });
}

/** Escapes line ends that JSON does not; looking for each first is far cheaper than replacing. */
function onOneLine(text: string): string {
  if (!text.includes("\u0085") && !text.includes("\u2028") && !text.includes("\u2029")) return text;
  return text.replace(LINE_ENDS, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
