import type { StreamOutcome } from "../../core/events.js";
import { canonical, stringify, type Json } from "../../core/json.js";
import type { RunInfo, Sink, SinkStream } from "../../core/ports.js";
import type { Checkpoint, RecordBatch } from "../../core/record.js";
import { applyCheckpoints, EMPTY_STATE, SOURCE_KEY, type State } from "../../core/state.js";
import { Outlet } from "../outlet.js";
import { rowSchema } from "./catalog.js";

/**
 * Writes Singer messages: SCHEMA when a stream is declared, RECORD lines, and STATE after the
 * records that it covers.
 *
 * The first line is the state that the run starts from, so that a target has one before its first
 * flush. The state is written whole each time, with sorted keys, and never twice in a row.
 */
export class SingerWriter implements Sink {
  readonly name = "singer";
  readonly #outlet: Outlet<Checkpoint>;
  readonly #schemas = new Map<string, string>();
  #state: State = EMPTY_STATE;
  #lastState = "";
  /** What concerns no stream and has not been written: leaves with the next state. */
  readonly #loose: Checkpoint[] = [];

  /** @param out usually stdout; it is never closed. */
  constructor(out: NodeJS.WritableStream) {
    this.#outlet = new Outlet(out);
  }

  async open(run: RunInfo, signal: AbortSignal): Promise<void> {
    this.#outlet.watch(signal);
    this.#state = run.state;
    this.#addState();
    await this.#outlet.push();
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
    if (this.#outlet.add(`${line}\n`)) await this.#outlet.push();
  }

  async write(batch: RecordBatch): Promise<readonly Checkpoint[]> {
    this.#outlet.check();
    const { stream, extractedAt, checkpoint } = batch;
    const head = `{"type":"RECORD","stream":${JSON.stringify(stream)},"record":`;
    const tail = `,"time_extracted":${JSON.stringify(extractedAt)}}`;
    await this.#outlet.addRows(batch, head, tail);
    if (checkpoint !== null) {
      this.#state = applyCheckpoints(this.#state, [checkpoint]);
      this.#loose.push(checkpoint);
      // The state is written whole: once for a stream and what the client learned meanwhile.
      if (stream === SOURCE_KEY) return [];
      this.#addState();
    }
    // A target gets what there is: the next page may be a minute away.
    await this.#outlet.push();
    return this.#outlet.take();
  }

  async end(_outcome: StreamOutcome): Promise<readonly Checkpoint[]> {
    return this.flush();
  }

  async flush(): Promise<readonly Checkpoint[]> {
    if (this.#loose.length > 0) this.#addState();
    return this.#outlet.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outlet.drop();
    await Promise.resolve();
  }

  #addState(): void {
    const value = canonical(this.#state as unknown as Json);
    if (value !== this.#lastState) this.#outlet.add(`{"type":"STATE","value":${value}}\n`);
    this.#lastState = value;
    for (const checkpoint of this.#loose.splice(0)) this.#outlet.cover(checkpoint);
  }
}
