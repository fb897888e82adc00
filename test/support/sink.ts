import { ConnectorError } from "../../src/core/errors.js";
import type { StreamOutcome } from "../../src/core/events.js";
import { stringify, type Json } from "../../src/core/json.js";
import type { RunInfo, Sink, SinkStream } from "../../src/core/ports.js";
import type { Checkpoint, RecordBatch, Reject, Row } from "../../src/core/record.js";

/** A sink that keeps all it is given, and what became of it. */
export interface RecordingSink extends Sink {
  /** Names of the calls in order: `open`, `declare people`, `write people`, `end people`, `flush`. */
  readonly calls: readonly string[];
  readonly opened: readonly RunInfo[];
  readonly declared: readonly SinkStream[];
  readonly batches: readonly RecordBatch[];
  readonly ended: readonly StreamOutcome[];
  /** Checkpoints returned so far, in order. */
  readonly acknowledged: readonly Checkpoint[];
  readonly disposed: boolean;
  /** Rows of a stream that were handed over. */
  rows(stream: string): readonly Row[];
  /** Rows of a stream that a crash now would leave: those before its last acknowledged checkpoint. */
  durable(stream: string): readonly Row[];
  rejects(stream: string): readonly Reject[];
  /** Everything written, one line of JSON per batch: what a byte comparison needs. */
  text(): string;
}

/** Knobs of {@link recordingSink}. */
export interface SinkOptions {
  /** When checkpoints are returned. Default `at once`. */
  readonly acknowledge?: "at once" | "at flush" | "never";
  /** Acknowledge only during the first so many calls. */
  readonly deafAfter?: number;
  /** The call that fails, counted from 1, and what it throws. */
  readonly failAt?: number;
  readonly failure?: Error;
  /** Thrown by disposal. */
  readonly disposal?: Error;
  /** Called before each call with its name: the place to pull the plug at. */
  readonly onCall?: (name: string) => void;
}

/** A destination in memory. */
export function recordingSink(options: SinkOptions = {}): RecordingSink {
  const calls: string[] = [];
  const opened: RunInfo[] = [];
  const declared: SinkStream[] = [];
  const batches: RecordBatch[] = [];
  const ended: StreamOutcome[] = [];
  const acknowledged: Checkpoint[] = [];
  const waiting: Checkpoint[] = [];
  const durable = new Map<string, Row[]>();
  let disposed = false;
  const when = options.acknowledge ?? "at once";

  const call = (name: string): void => {
    if (disposed) throw new Error(`${name} after disposal`);
    options.onCall?.(name);
    calls.push(name);
    if (calls.length !== options.failAt) return;
    throw options.failure ?? new ConnectorError("destination", "the disk is full");
  };
  const rowsOf = (stream: string): Row[] =>
    batches.filter((b) => b.stream === stream).flatMap((b) => b.rows);
  const release = (): readonly Checkpoint[] => {
    if (when === "never" || calls.length > (options.deafAfter ?? Infinity)) return [];
    const released = waiting.splice(0);
    for (const { stream } of released) durable.set(stream, rowsOf(stream));
    acknowledged.push(...released);
    return released;
  };

  return {
    name: "recording",
    calls,
    opened,
    declared,
    batches,
    ended,
    acknowledged,
    get disposed() {
      return disposed;
    },
    rows: rowsOf,
    durable: (stream) => durable.get(stream) ?? [],
    rejects: (stream) => batches.filter((b) => b.stream === stream).flatMap((b) => b.rejects),
    text: () => batches.map((b) => stringify(b as unknown as Json)).join("\n"),
    async open(run) {
      call("open");
      opened.push(run);
    },
    async declare(stream) {
      call(`declare ${stream.name}`);
      declared.push(stream);
    },
    async write(batch) {
      call(`write ${batch.stream}`);
      batches.push(batch);
      if (batch.checkpoint !== null) waiting.push(batch.checkpoint);
      return when === "at once" ? release() : [];
    },
    async end(outcome) {
      call(`end ${outcome.stream}`);
      ended.push(outcome);
      return when === "at once" ? release() : [];
    },
    async flush() {
      call("flush");
      return release();
    },
    async [Symbol.asyncDispose]() {
      disposed = true;
      if (options.disposal !== undefined) throw options.disposal;
    },
  };
}
