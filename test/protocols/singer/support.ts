import { Writable } from "node:stream";

import { sinkStream } from "../../../src/core/declared.js";
import type { StreamOutcome } from "../../../src/core/events.js";
import type { Json, JsonObject } from "../../../src/core/json.js";
import { makePlan, type Selection } from "../../../src/core/plan.js";
import type { RunInfo, SinkStream } from "../../../src/core/ports.js";
import type { RecordBatch, Row } from "../../../src/core/record.js";
import { EMPTY_STATE, type State } from "../../../src/core/state.js";
import { STREAMS } from "../../../streams/index.js";

/** A stream that keeps what is written, and whose reader can be made to wait or to go. */
export interface MemoryOut extends Writable {
  readonly text: string;
  /** Bytes that the stream holds and nobody has taken. */
  readonly waiting: number;
  /** Lets the reader take one chunk, or all there will ever be. */
  take(): void;
  takeAll(): void;
}

/** @param options `slow`: nothing is taken until told; `fail`: the error of the n-th write. */
export function memoryOut(
  options: { readonly slow?: true; readonly fail?: (write: number) => Error | undefined } = {},
): MemoryOut {
  let text = "";
  let writes = 0;
  let open = options.slow !== true;
  const held: (() => void)[] = [];
  const out = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      writes += 1;
      const failure = options.fail?.(writes);
      const deliver = () => {
        if (failure === undefined) text += chunk;
        done(failure);
      };
      if (open) deliver();
      else held.push(deliver);
    },
  });
  return Object.defineProperties(out, {
    text: { get: () => text },
    waiting: { get: () => out.writableLength },
    take: { value: () => held.shift()?.() },
    takeAll: {
      value: () => {
        open = true;
        while (held.length > 0) held.shift()?.();
      },
    },
  }) as MemoryOut;
}

/** The messages of a text, one per line. */
export function messagesOf(text: string): readonly JsonObject[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line is cut off");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JsonObject);
}

export const ofType = (text: string, type: string): readonly JsonObject[] =>
  messagesOf(text).filter((m) => m["type"] === type);

/** A stream as the writer sees it. */
export function declared(name: string, selection: Partial<Selection> = {}): SinkStream {
  const chosen = { stream: name, deselected: new Set<string>(), fullRefresh: false, ...selection };
  const plan = makePlan(STREAMS, [chosen], EMPTY_STATE);
  return sinkStream(plan.streams.find((s) => s.def.name === name)!);
}

const STARTED = "2026-06-01T00:00:00.000Z";

export function runInfo(state: State = EMPTY_STATE): RunInfo {
  return { runId: "run-1", startedAt: STARTED, state };
}

export const running = (): AbortSignal => new AbortController().signal;

export function batch(
  stream: string,
  rows: readonly (Row | Readonly<Record<string, Json>>)[],
  more: Partial<RecordBatch> = {},
): RecordBatch {
  return {
    stream,
    rows,
    rejects: [],
    extractedAt: "2026-06-01T00:00:01.000Z",
    observedAt: STARTED,
    checkpoint: null,
    ...more,
  };
}

/** A claim that a stream was read to its end, at the n-th minute. */
export function checkpoint(stream: string, minute = 0) {
  const completedAt = `2026-06-01T00:${String(minute).padStart(2, "0")}:00.000Z`;
  return { stream, bookmark: { completedAt } };
}

export function ended(stream: string): StreamOutcome {
  return { stream, status: "complete", rows: 0, rejected: 0 };
}

/** One stream with root metadata and metadata by dotted path. */
export function givenStream(
  name: string,
  root: JsonObject | null,
  fields: Readonly<Record<string, JsonObject>> = {},
  more: JsonObject = {},
) {
  const metadata = [
    ...Object.entries(fields).map(([path, said]) => ({
      breadcrumb: path.split(".").flatMap((key) => ["properties", key]),
      metadata: said,
    })),
    ...(root === null ? [] : [{ breadcrumb: [], metadata: root }]),
  ];
  return { tap_stream_id: name, stream: name, metadata, ...more };
}
