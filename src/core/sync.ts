import { iso, type Clock } from "./clock.js";
import { asConnectorError, ConnectorError, RECOVERY, worse } from "./errors.js";
import type { Emit, StreamOutcome } from "./events.js";
import { sinkStream } from "./declared.js";
import { gatherers, type Gatherers } from "./gather.js";
import type { PlannedStream, SyncPlan } from "./plan.js";
import { canonical, type Json } from "./json.js";
import type { PageSource, Sink, SinkStream } from "./ports.js";
import type { Privacy, Protection } from "./privacy/privacy.js";
import { isUnder, requireSafe } from "./privacy/same.js";
import { withProgress } from "./quota.js";
import { StreamReader, type ReadSettings } from "./read/context.js";
import { readStream } from "./read/stream.js";
import type { Checkpoint, RecordBatch } from "./record.js";
import { applyCheckpoints, memoryOf, SOURCE_KEY, type SourceMemory, type State } from "./state.js";

/** What a run works with. Everything that touches the world is passed in. */
export interface SyncOptions {
  readonly runId: string;
  readonly plan: SyncPlan;
  readonly source: PageSource;
  readonly sink: Sink;
  readonly settings: ReadSettings;
  /** What is done with personal data before the sink sees it; nothing unless given. */
  readonly privacy?: Privacy;
  /** What a spent quota does to rows that are safe but not durable yet: `keep` unless given. */
  readonly onQuota?: "keep" | "drop";
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
  try {
    await run.readAll();
    const isSpent = run.result().error?.kind === "quota";
    if (!isSpent || options.onQuota !== "drop") await run.flush();
  } catch (error) {
    run.fail(error);
  }
  for (const refusal of options.sink.refusals ?? []) run.refuse(refusal);
  try {
    await options.sink[Symbol.asyncDispose]();
  } catch (error) {
    // Whatever made the run fail also explains why the sink cannot be closed.
    if (run.result().error === undefined) run.fail(error);
  }
  return run.result();
}

class Run {
  readonly #options: SyncOptions;
  readonly #startedAt: string;
  readonly #outcomes: StreamOutcome[] = [];
  readonly #gatherers: Gatherers;
  #state: State;
  /** What the API client remembers, as far as the sink has heard. */
  #memory: SourceMemory;
  #error: ConnectorError | undefined;

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#startedAt = iso(options.clock.now());
    this.#state = options.plan.state;
    this.#memory = memoryOf(this.#state);
    this.#gatherers = gatherers(options.plan);
  }

  /** Reads every stream; returns when there is no more to read, throws only if the sink failed. */
  async readAll(): Promise<void> {
    const { sink, plan, runId, kill } = this.#options;
    for (const planned of plan.streams) requireSafe(planned, this.#protectionOf(planned));
    for (const planned of plan.streams) this.#tellOfOldRows(planned);
    await sink.open({ runId, startedAt: this.#startedAt, state: this.#state }, kill);
    for (const planned of plan.streams) {
      if (planned.emit) await sink.declare(this.#declared(planned));
    }
    let ended: ConnectorError | undefined;
    for (const planned of plan.streams) {
      const read = ended ? notRead(planned, ended) : await this.#readOne(planned);
      const outcome = ended === undefined ? this.#told(read) : read;
      if (!ended) await this.#remember();
      if (planned.emit || outcome.error) this.#outcomes.push(outcome);
      this.#options.emit({ type: "stream_finished", outcome });
      if (planned.emit) await this.#hand(() => sink.end(outcome));
      if (outcome.error === undefined) continue;
      this.#error = worse(this.#error, outcome.error);
      if (RECOVERY[outcome.error.kind].scope === "run") ended = outcome.error;
    }
  }

  #protectionOf({ def }: PlannedStream): Protection | undefined {
    return this.#options.privacy?.of(def);
  }

  /** Reading everything again does not take out what rows of other rules hold. */
  #tellOfOldRows(planned: PlannedStream): void {
    const { name: stream } = planned.def;
    const before = this.#state.bookmarks[stream];
    if (!planned.emit || before === undefined) return;
    if (planned.bookmark !== null || isUnder(before, this.#protectionOf(planned))) return;
    const message =
      "earlier rows were handed on under other privacy rules: those that do not come again stay as they are";
    this.#options.emit({ type: "warning", stream, message });
  }

  /** A stream as the sink sees it: what is dropped is not there, what is hashed is text. */
  #declared(planned: PlannedStream): SinkStream {
    const protection = this.#protectionOf(planned);
    if (protection === undefined) return sinkStream(planned);
    const { columns } = protection.read(planned);
    return sinkStream({ ...planned, columns: protection.columns(columns) });
  }

  /** Says of a spent quota how far the run got. */
  #told(outcome: StreamOutcome): StreamOutcome {
    if (outcome.error?.kind !== "quota") return outcome;
    const { streams } = this.#options.plan;
    return { ...outcome, error: withProgress(outcome.error, this.#outcomes, streams) };
  }

  /** Keeps what was learned about the API and its quota, before what it was spent on. */
  async #remember(): Promise<void> {
    const { memory } = this.#options.source;
    const next = { ...this.#memory, ...memory, paging: memory.paging ?? this.#memory.paging };
    const text = (m: SourceMemory) => canonical(m as unknown as Json);
    if (text(next) === text(this.#memory)) return;
    this.#memory = next;
    const bookmark = { completedAt: null, ...next };
    await this.#write({
      stream: SOURCE_KEY,
      rows: [],
      rejects: [],
      extractedAt: this.#startedAt,
      observedAt: this.#startedAt,
      checkpoint: { stream: SOURCE_KEY, bookmark },
    });
  }

  /** Makes durable what is safe. */
  async flush(): Promise<void> {
    await this.#hand(() => this.#options.sink.flush());
  }

  fail(error: unknown): void {
    this.#error = worse(this.#errorOf(error), this.#error);
  }

  /** The sink does not believe what was read of a stream. */
  refuse(error: ConnectorError): void {
    this.fail(error);
    const at = this.#outcomes.findIndex(({ stream }) => stream === error.context["stream"]);
    const before = this.#outcomes[at];
    // What has failed by itself has the better reason.
    if (before === undefined || before.error !== undefined) return;
    const outcome: StreamOutcome = { ...before, status: "failed", error };
    this.#outcomes[at] = outcome;
    this.#options.emit({ type: "stream_finished", outcome });
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
    await this.#hand(() => this.#options.sink.write(batch));
  }

  /** The only way into the state: what a call of the sink returned, and none after `kill`. */
  async #hand(call: () => Promise<readonly Checkpoint[]>): Promise<void> {
    this.#options.kill.throwIfAborted();
    this.#state = applyCheckpoints(this.#state, await call());
  }

  /** An abort without a reason of ours is a signal too. */
  #errorOf(error: unknown): ConnectorError {
    const { stop, kill } = this.#options;
    if (error instanceof ConnectorError || !(stop.aborted || kill.aborted)) {
      return asConnectorError(error);
    }
    return new ConnectorError("cancelled", "stopped by a signal", { cause: error });
  }

  /** Reads one stream. A failure of the source is an outcome; one of the sink is thrown. */
  async #readOne(planned: PlannedStream): Promise<StreamOutcome> {
    const { source, settings, clock, emit, stop, kill } = this.#options;
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
    let sinkFailure: { readonly error: unknown } | undefined;
    const protection = this.#protectionOf(planned);
    const wanted = protection?.read(planned) ?? planned;
    const change = protection?.batches(wanted.columns);
    const reader = new StreamReader({
      planned: wanted,
      source,
      settings,
      clock,
      emit,
      signal: AbortSignal.any([stop, kill, over.signal]),
      startedAt: this.#startedAt,
      state: this.#options.plan.state,
      collectors: this.#gatherers.of(planned.def),
      deliver: async (batch) => {
        // After a throw a sink must not be called again, whatever the reading makes of it.
        if (sinkFailure !== undefined) throw sinkFailure.error;
        try {
          if (batch.checkpoint !== null) await this.#remember();
          await this.#write(change === undefined ? batch : change(batch));
        } catch (error) {
          sinkFailure = { error };
          throw error;
        }
      },
    });
    emit({ type: "stream_started", stream });
    let failure: { readonly error: unknown } | undefined;
    try {
      await readStream(reader, this.#gatherers);
    } catch (error) {
      failure = { error };
    }
    over.abort();
    if (sinkFailure !== undefined) throw sinkFailure.error;
    const { rows, rejected } = reader;
    const { proof } = reader.proof;
    if (failure === undefined) {
      return { stream, status: rejected > 0 ? "partial" : "complete", rows, rejected, proof };
    }
    this.#gatherers.markBroken(planned.def);
    return { stream, status: "failed", rows, rejected, proof, error: this.#errorOf(failure.error) };
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
