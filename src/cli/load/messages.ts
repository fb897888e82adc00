import { iso, type Clock } from "../../core/clock.js";
import { asConnectorError, ConnectorError } from "../../core/errors.js";
import type { Emit, StreamOutcome } from "../../core/events.js";
import { stringify } from "../../core/json.js";
import type { Sink } from "../../core/ports.js";
import type { Checkpoint } from "../../core/record.js";
import type { State } from "../../core/state.js";
import {
  readMessages,
  type RecordMessage,
  type SingerMessage,
} from "../../protocols/singer/reader.js";
import { grouped } from "../format.js";
import { ForeignStream } from "./foreign-stream.js";

/** What loading messages works with. */
export interface LoadOptions {
  readonly input: AsyncIterable<string | Uint8Array>;
  readonly sink: Sink;
  readonly state: State;
  readonly runId: string;
  readonly clock: Clock;
  /** Rows of a stream that may fail to fit their SCHEMA before the load fails. */
  readonly maxRejects: number;
  readonly emit: Emit;
  /** Aborted: keep what the last STATE covers and end. */
  readonly stop: AbortSignal;
  readonly kill: AbortSignal;
  /** Takes the value of a STATE, as JSON text, once everything before it is durable. */
  readonly acknowledge: (state: string) => void;
}

/** Key under which the tap's own state is kept. */
const FOREIGN = "_singer";

/**
 * Reads Singer messages into a sink until the input ends.
 *
 * A STATE covers every row before it, of all streams; it is acknowledged when those are durable.
 * At the end of the input the rows after the last STATE are kept too. After a fault in the messages
 * only what a STATE covers is.
 *
 * @returns the fault, if there was one. @throws ConnectorError if the sink fails.
 */
export async function loadMessages(options: LoadOptions): Promise<ConnectorError | undefined> {
  const load = new MessageLoad(options);
  return load.run();
}

class MessageLoad {
  readonly #options: LoadOptions;
  readonly #streams = new Map<string, ForeignStream>();
  readonly #counts = new Map<string, { rows: number; rejected: number }>();
  readonly #drifted = new Set<string>();
  /** Rows that did not fit, by stream. */
  readonly #rejected = new Map<string, number>();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  async run(): Promise<ConnectorError | undefined> {
    const { sink, runId, clock, state, kill } = this.#options;
    await sink.open({ runId, startedAt: iso(clock.now()), state }, kill);
    const fault = await this.#readAll();
    if (fault === undefined) await this.#cover();
    for (const stream of this.#streams.keys()) await this.#end(stream, fault);
    this.#hear(await sink.flush());
    return fault;
  }

  /** Faults of the messages are an answer; faults of the sink are thrown. */
  async #readAll(): Promise<ConnectorError | undefined> {
    const { input, emit, stop } = this.#options;
    const warn = (message: string): void => {
      emit({ type: "warning", stream: null, message });
    };
    const messages = readMessages(stoppable(input, stop), { warn })[Symbol.asyncIterator]();
    for (;;) {
      let next: IteratorResult<SingerMessage>;
      try {
        next = await messages.next();
        stop.throwIfAborted();
      } catch (error) {
        return asConnectorError(error);
      }
      if (next.done === true) return undefined;
      const fault = await this.#take(next.value);
      if (fault !== undefined) return fault;
    }
  }

  async #take(message: SingerMessage): Promise<ConnectorError | undefined> {
    const { sink, clock } = this.#options;
    switch (message.type) {
      case "SCHEMA": {
        await this.#hand(message.stream);
        const stream = new ForeignStream(message, (field) => {
          this.#drift(message.stream, field);
        });
        if (!this.#streams.has(message.stream)) {
          this.#options.emit({ type: "stream_started", stream: message.stream });
        }
        this.#streams.set(message.stream, stream);
        await sink.declare(stream.declaration);
        return undefined;
      }
      case "RECORD": {
        const stream = this.#streams.get(message.stream);
        if (stream === undefined) return undefined;
        // At once, not with the batch: a STATE must not cover what was one row too many.
        if (!stream.add(message, iso(clock.now()))) return this.#reject(message);
        if (stream.isDue) await this.#hand(message.stream);
        return undefined;
      }
      case "STATE":
        await this.#cover(stringify(message.value));
        return undefined;
    }
  }

  /** Counts a row that does not fit; the fault if it is one too many. */
  async #reject({ stream, line }: RecordMessage): Promise<ConnectorError | undefined> {
    const rejected = (this.#rejected.get(stream) ?? 0) + 1;
    this.#rejected.set(stream, rejected);
    if (rejected <= this.#options.maxRejects) return undefined;
    // What came before the fault is not kept, but why there is one can be read.
    await this.#hand(stream);
    const what =
      rejected === 1 ? "a row does not fit its" : `${grouped(rejected)} rows do not fit their`;
    return new ConnectorError("bad_record", `line ${String(line)}: ${what} SCHEMA`, {
      hint: "see _kb4_rejects for the reason, or set max_rejects to let so many pass",
    });
  }

  /** Hands on what a stream has gathered. */
  async #hand(name: string): Promise<void> {
    const batch = this.#streams.get(name)?.take();
    if (batch === undefined) return;
    const counts = this.#counts.get(name) ?? { rows: 0, rejected: 0 };
    counts.rows += batch.rows.length;
    counts.rejected += batch.rejects.length;
    this.#counts.set(name, counts);
    this.#options.emit({ type: "page", stream: name, rows: batch.rows.length });
    this.#hear(await this.#options.sink.write(batch));
  }

  /** Everything so far may become durable; then the state, which must not come before any of it. */
  async #cover(state?: string): Promise<void> {
    const { sink, clock } = this.#options;
    const completedAt = iso(clock.now());
    const empty = { rows: [], rejects: [], extractedAt: completedAt, observedAt: null };
    for (const stream of this.#streams.keys()) {
      await this.#hand(stream);
      const checkpoint = { stream, bookmark: { completedAt } };
      this.#hear(await sink.write({ ...empty, stream, checkpoint }));
    }
    if (state === undefined) return;
    const checkpoint = { stream: FOREIGN, bookmark: { completedAt, foreign: state } };
    this.#hear(await sink.write({ ...empty, stream: FOREIGN, checkpoint }));
  }

  async #end(stream: string, error: ConnectorError | undefined): Promise<void> {
    const { rows, rejected } = this.#counts.get(stream) ?? { rows: 0, rejected: 0 };
    const whole = rejected > 0 ? "partial" : "complete";
    const outcome: StreamOutcome = {
      stream,
      status: error === undefined ? whole : "failed",
      rows,
      rejected,
      ...(error === undefined ? {} : { error }),
    };
    this.#hear(await this.#options.sink.end(outcome));
    this.#options.emit({ type: "stream_finished", outcome });
  }

  #hear(checkpoints: readonly Checkpoint[]): void {
    const last = checkpoints.findLast((c) => c.stream === FOREIGN)?.bookmark.foreign;
    if (typeof last === "string") this.#options.acknowledge(last);
  }

  #drift(stream: string, field: string): void {
    const name = JSON.stringify([stream, field]);
    if (this.#drifted.has(name)) return;
    this.#drifted.add(name);
    const message = `field "${field}" is not in the SCHEMA, or not a date: kept in _extra`;
    this.#options.emit({ type: "warning", stream, message });
  }
}

/** The input until a signal; waiting for its next piece does not hold the signal up. */
async function* stoppable(
  input: AsyncIterable<string | Uint8Array>,
  stop: AbortSignal,
): AsyncGenerator<string | Uint8Array> {
  const stopped = new Promise<never>((_, reject) => {
    stop.addEventListener("abort", () => {
      reject(stop.reason as Error);
    });
  });
  stopped.catch(() => undefined);
  const pieces = input[Symbol.asyncIterator]();
  for (;;) {
    stop.throwIfAborted();
    const next = await Promise.race([pieces.next(), stopped]);
    if (next.done === true) return;
    yield next.value;
  }
}
