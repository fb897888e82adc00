import { iso, type Clock } from "./clock.js";
import { asConnectorError, ConnectorError, RECOVERY, worse } from "./errors.js";
import type { Emit, StreamOutcome } from "./events.js";
import { sinkStream } from "./declared.js";
import { gatherers, type Gatherers } from "./gather.js";
import type { PlannedStream, SyncPlan } from "./plan.js";
import type { PageSource, Sink } from "./ports.js";
import { StreamReader, type ReadSettings } from "./read/context.js";
import { readStream } from "./read/stream.js";
import type { Checkpoint, RecordBatch } from "./record.js";
import { applyCheckpoints, SOURCE_KEY, type State } from "./state.js";

/** What a run works with. Everything that touches the world is passed in. */
export interface SyncOptions {
  readonly runId: string;
  readonly plan: SyncPlan;
  readonly source: PageSource;
  readonly sink: Sink;
  readonly settings: ReadSettings;
  readonly clock: Clock;
  readonly emit: Emit;
  /** Aborted: stop reading, make durable what is safe, end. */
  readonly stop: AbortSignal;
  /** Aborted: end at once; nothing more becomes durable. */
  readonly kill: AbortSignal;
}

/** How a run ended. */
export interface SyncResult {
  /** What a later run may continue from: only what the sink acknowledged. */
  readonly state: State;
  readonly outcomes: readonly StreamOutcome[];
  /** The worst failure, if any; its kind gives the exit code. */
  readonly error?: ConnectorError;
}

/**
 * One pass: every planned stream from the source to the sink, parents first.
 *
 * A failing stream does not stop its siblings and leaves its bookmark where it was. What concerns
 * the whole run — the key refused, the quota spent, a signal — ends the reading, and what was read
 * up to the last checkpoint is still made durable. A failing sink ends everything: nothing that it
 * did not acknowledge enters the state.
 */
export async function sync(options: SyncOptions): Promise<SyncResult> {
  const run = new Run(options);
  await using sink = options.sink;
  try {
    await run.readAll();
    run.acknowledge(await sink.flush());
  } catch (error) {
    run.fail(asConnectorError(error));
  }
  return run.result();
}

class Run {
  readonly #options: SyncOptions;
  readonly #startedAt: string;
  readonly #outcomes: StreamOutcome[] = [];
  readonly #gatherers: Gatherers;
  #state: State;
  #error: ConnectorError | undefined;

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#startedAt = iso(options.clock.now());
    this.#state = options.plan.state;
    this.#gatherers = gatherers(options.plan);
  }

  /** Reads every stream; returns when there is no more to read, throws only if the sink failed. */
  async readAll(): Promise<void> {
    const { sink, plan, runId, kill, source } = this.#options;
    await sink.open({ runId, startedAt: this.#startedAt, state: this.#state }, kill);
    for (const planned of plan.streams) {
      if (planned.emit) await sink.declare(sinkStream(planned));
    }
    let ended: ConnectorError | undefined;
    for (const planned of plan.streams) {
      const outcome = ended ? notRead(planned, ended) : await this.#readOne(planned);
      if (planned.emit || outcome.error) this.#outcomes.push(outcome);
      this.#options.emit({ type: "stream_finished", outcome });
      if (planned.emit) this.acknowledge(await sink.end(outcome));
      if (outcome.error === undefined) continue;
      this.#error = worse(this.#error, outcome.error);
      if (RECOVERY[outcome.error.kind].scope === "run") ended = outcome.error;
    }
    const { paging } = source.memory;
    const before = this.#state.bookmarks[SOURCE_KEY]?.paging ?? null;
    if (paging === null || paging === before) return;
    await this.#write({
      stream: SOURCE_KEY,
      rows: [],
      rejects: [],
      extractedAt: this.#startedAt,
      observedAt: this.#startedAt,
      checkpoint: { stream: SOURCE_KEY, bookmark: { completedAt: null, paging } },
    });
  }

  acknowledge(checkpoints: readonly Checkpoint[]): void {
    this.#state = applyCheckpoints(this.#state, checkpoints);
  }

  fail(error: ConnectorError): void {
    this.#error = worse(error, this.#error);
  }

  result(): SyncResult {
    const error = this.#error;
    return {
      state: this.#state,
      outcomes: this.#outcomes,
      ...(error === undefined ? {} : { error }),
    };
  }

  async #write(batch: RecordBatch): Promise<void> {
    this.acknowledge(await this.#options.sink.write(batch));
  }

  /** Reads one stream. A failure of the source is an outcome; one of the sink is thrown. */
  async #readOne(planned: PlannedStream): Promise<StreamOutcome> {
    const { source, settings, clock, emit, stop } = this.#options;
    const stream = planned.def.name;
    const parentFailed = this.#gatherers.brokenParent(planned.def);
    if (parentFailed !== undefined) {
      this.#gatherers.markBroken(planned.def);
      return {
        stream,
        status: "skipped",
        rows: 0,
        rejected: 0,
        error: parentMissing(stream, parentFailed),
      };
    }
    const over = new AbortController();
    let sinkError: unknown;
    const reader = new StreamReader({
      planned,
      source,
      settings,
      clock,
      emit,
      signal: AbortSignal.any([stop, over.signal]),
      startedAt: this.#startedAt,
      collectors: this.#gatherers.of(planned.def),
      deliver: async (batch) => {
        try {
          await this.#write(batch);
        } catch (error) {
          sinkError = error;
          throw error;
        }
      },
    });
    emit({ type: "stream_started", stream });
    try {
      await readStream(reader, this.#gatherers);
      const status = reader.rejected > 0 ? "partial" : "complete";
      return { stream, status, rows: reader.rows, rejected: reader.rejected };
    } catch (error) {
      if (sinkError !== undefined) throw error;
      this.#gatherers.markBroken(planned.def);
      const { rows, rejected } = reader;
      return { stream, status: "failed", rows, rejected, error: asConnectorError(error) };
    } finally {
      over.abort();
    }
  }
}

function notRead(planned: PlannedStream, because: ConnectorError): StreamOutcome {
  return {
    stream: planned.def.name,
    status: "skipped",
    rows: 0,
    rejected: 0,
    ...(planned.emit ? { error: because } : {}),
  };
}

function parentMissing(stream: string, parent: string): ConnectorError {
  return new ConnectorError("unavailable", `${stream}: not read, because ${parent} failed`, {
    context: { stream, parent },
  });
}
