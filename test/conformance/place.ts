import type { Sink, SinkStream } from "../../src/core/ports.js";
import type { Row } from "../../src/core/record.js";
import { stream } from "../loaders/support.js";
import { runInfo, running } from "../protocols/singer/support.js";

/** A sink and a view of what it leaves behind. */
export interface Harness {
  /** A sink of the same place; the first call and each one after a disposal. */
  sink(): Sink;
  /** Rows of a stream that would be there if the process were killed now, in the sink's order. */
  durable(stream: string): Promise<readonly Row[]>;
  /** For a place that was asked to be slow: lets it take a little of what it was given. */
  take?(): void;
}

/** What a test asks of the place. */
export interface Place {
  /** `slow`: takes nothing but in {@link Harness.take}. */
  readonly pace: "slow" | "fast";
}

/** What is known of a sink's place beforehand. */
export interface Nature {
  /** Whether it is there to be tested. */
  readonly isThere?: boolean;
  /** Milliseconds that one test may take. */
  readonly timeout?: number;
  /** Values that the place cannot hold, by their names in `values.ts`; its page says so. */
  readonly cannotHold?: readonly string[];
}

/** Makes a new place. */
export type MakePlace = (place: Place) => Promise<Harness>;

export const people = stream("people", { id: "integer", name: "string" });
export const teams = stream("teams", { id: "integer", title: "string" });

/** A sink that was opened and knows these streams. */
export async function begun(harness: Harness, ...streams: readonly SinkStream[]): Promise<Sink> {
  const sink = harness.sink();
  await sink.open(runInfo(), running());
  for (const declared of streams) await sink.declare(declared);
  return sink;
}
