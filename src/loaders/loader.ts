import { rm } from "node:fs/promises";
import { hash } from "node:crypto";
import { join } from "node:path";

import { iso, type Clock } from "../core/clock.js";
import { OBSERVED_AT } from "../core/columns.js";
import { ConnectorError } from "../core/errors.js";
import type { Emit, StreamOutcome } from "../core/events.js";
import { stringify } from "../core/json.js";
import type { RunInfo, Sink, SinkStream } from "../core/ports.js";
import type { Checkpoint, RecordBatch } from "../core/record.js";
import { EMPTY_STATE, parseState, type State } from "../core/state.js";
import { MAX_VANISHED_RATIO } from "../core/vanished.js";
import { declaredTable, type Declared } from "./declared.js";
import type { Forgetting, Forgotten } from "./forget/forget.js";
import { clearSpool, isWaiting } from "./forget/spool.js";
import { newLoadId } from "./load-id.js";
import { lockSpool, type Hold } from "./lock.js";
import { loadsIn, readManifest, type Manifest } from "./manifest.js";
import { Package } from "./package.js";
import { tooMany, undeclared } from "./refused.js";
import { onDisk, type SpoolFile } from "./spool.js";
import type { KeptState, Patience, Store } from "./store.js";
import { joined, META, SEQUENCE, tableOf, type Mode } from "./table.js";
import { UnderWay } from "./underway.js";
import type { Estimate, Missing } from "./warehouse.js";

/** What a loader is made of. */
export interface LoaderOptions {
  readonly store: Store;
  /** Whose state it keeps: runs of different pipelines share tables but not bookmarks. */
  readonly pipeline: string;
  /** Pipelines whose rows must not share tables with these. */
  readonly strangers: readonly string[];
  readonly mode: Mode;
  /** Folder for rows that are not committed yet; made if need be. */
  readonly spoolDir: string;
  readonly hold: Hold;
  readonly clock: Clock;
  /** Between 0 and 1: for ids. */
  readonly random: () => number;
  readonly emit: Emit;
  readonly toolVersion: string;
  /** Largest part of a table's rows that a run may mark as gone; 0.2. */
  readonly maxVanishedRatio?: number;
  /** Safe bytes after which a commit is made; 64 MiB. */
  readonly commitBytes?: number;
  /** Milliseconds after which a commit is made at the next checkpoint; five minutes. */
  readonly commitMs?: number;
}

/** How long a commit waits for a database that somebody is reading, in milliseconds. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 500;

/**
 * Fills a warehouse, whichever: spool, seal, stage, verify, commit, acknowledge.
 *
 * Rows wait in files until enough of them are safe to commit; then they, the state and a record of
 * the load go in together. A load that was sealed and not committed, because the process died or
 * the warehouse refused, is committed by the next run's {@link prepare}.
 */
export class Loader implements Sink {
  readonly name: string;
  readonly #options: LoaderOptions;
  readonly #declared = new Map<string, Declared>();
  readonly #commits = new UnderWay<readonly Checkpoint[]>();
  readonly #refused = new Map<string, ConnectorError>();
  #lock: AsyncDisposable | undefined;
  #package: Package | undefined;
  #run: RunInfo | undefined;
  #kill: AbortSignal | undefined;
  #version = 0;
  #sequence = 0;
  #loads = 0;
  #committedMs = 0;

  constructor(options: LoaderOptions) {
    this.#options = options;
    this.name = options.store.name;
  }

  /**
   * Takes the spool for this run, tries the warehouse, and commits what an earlier run left sealed.
   * Call it before the source is asked for anything.
   *
   * @returns the state in the warehouse.
   * @throws ConnectorError `locked`, `destination`; `state` if it is not one of this version.
   */
  async prepare(): Promise<State> {
    const { spoolDir, hold } = this.#options;
    this.#lock = await lockSpool(spoolDir, hold);
    const state = await this.#begin();
    return (await this.#recover()) === "as it was" ? state : this.readState();
  }

  /** Whether there is anything to read a state from. */
  async exists(): Promise<boolean> {
    return this.#options.store.exists();
  }

  /** For messages: where the rows go. */
  get place(): string {
    return this.#options.store.place;
  }

  /** Streams of which too many rows had gone, so that none was marked. */
  get refusals(): readonly ConnectorError[] {
    return [...this.#refused.values()];
  }

  /**
   * What merging these streams would be billed, stream by stream, without doing it; empty where that is
   * nothing, or not known.
   */
  async estimate(streams: readonly SinkStream[]): Promise<readonly Estimate[]> {
    const { store, mode } = this.#options;
    if (mode !== "merge") return [];
    return (await store.estimate?.(streams.map(tableOf))) ?? [];
  }

  /** What a person must do before rows can be written; writes nothing. */
  async check(): Promise<readonly Missing[]> {
    return this.#options.store.check();
  }

  /** The state in the warehouse. @throws ConnectorError `state` if it is not one of this version. */
  async readState(): Promise<State> {
    const { store, pipeline } = this.#options;
    return this.#taken(await store.readState(pipeline));
  }

  /** What shows that each stream was read completely, when it last was. */
  readonly readProofs = (): ReturnType<Store["readProofs"]> =>
    this.#options.store.readProofs(this.#options.pipeline);

  /** How many rows that are there each of these tables has; null for one that was never made. */
  readonly countRows: Store["countRows"] = (asks) => this.#options.store.countRows(asks);

  /** Whether rows of an earlier run wait to be committed. */
  hasWaiting(): Promise<boolean> {
    return isWaiting(this.#options.spoolDir);
  }

  /** What there is of a person. Writes nothing. */
  find(forgetting: Forgetting): Promise<Forgotten> {
    return this.#options.store.find(forgetting);
  }

  /**
   * Erases a person. What an earlier run left sealed is committed first, so that nothing of them
   * waits anywhere else.
   */
  async forget(forgetting: Forgetting): Promise<Forgotten> {
    if (this.#lock === undefined) await this.prepare();
    const { store, clock, spoolDir, pipeline, toolVersion } = this.#options;
    await clearSpool(spoolDir);
    const loadId = newLoadId(this.#options, (this.#loads += 1));
    const at = iso(clock.now());
    const record = { loadId, runId: loadId, pipeline, startedAt: at, committedAt: at, toolVersion };
    return this.#patiently(() => store.forget(forgetting, record));
  }

  async open(run: RunInfo, signal: AbortSignal): Promise<void> {
    if (this.#lock === undefined) await this.prepare();
    this.#run = run;
    this.#kill = signal;
    this.#committedMs = this.#options.clock.monotonic();
    this.#package = await this.#newPackage(run, this.#version);
  }

  async declare(stream: SinkStream): Promise<void> {
    const { mode, store } = this.#options;
    const before = this.#declared.get(stream.name)?.table;
    const table = declaredTable(stream, mode, [...this.#declared.keys()]);
    // A table may be swapped only for the whole of its stream.
    const how = mode === "replace" && !stream.whole ? "merge" : mode;
    store.foresee?.(table, how);
    this.#declared.set(stream.name, {
      table: before === undefined ? table : joined(before, table),
      mode: how,
    });
    await Promise.resolve();
  }

  async write(batch: RecordBatch): Promise<readonly Checkpoint[]> {
    // What is due is committed with what comes after its last rows: the end of its stream, mostly.
    const committed = await this.#committed();
    const open = this.#opened();
    const { checkpoint, rejects } = batch;
    const declared = this.#declared.get(batch.stream);
    if (declared === undefined) {
      // What concerns no stream has a checkpoint and nothing else.
      if (batch.rows.length > 0 || rejects.length > 0) throw undeclared(batch.stream);
      if (checkpoint !== null) open.note(checkpoint);
      return committed;
    }
    const { table, mode } = declared;
    if (batch.rows.length > 0) await this.#spool(batch, await open.fileOf(table, mode));
    if (rejects.length > 0) await open.reject(table, mode, rejects, batch.extractedAt);
    if (checkpoint !== null) await open.checkpoint(table, mode, checkpoint, batch.scopes);
    return committed;
  }

  async end(outcome: StreamOutcome): Promise<readonly Checkpoint[]> {
    const open = this.#opened();
    const declared = this.#declared.get(outcome.stream);
    if (declared === undefined) return [];
    if (outcome.status === "complete" || outcome.status === "partial") {
      const proof =
        outcome.proof === undefined
          ? null
          : stringify({ ...outcome.proof, read_at: iso(this.#options.clock.now()) });
      await open.complete(declared.table, declared.mode, proof);
    } else {
      await open.breakOff(outcome.stream);
    }
    return this.#committed();
  }

  async flush(): Promise<readonly Checkpoint[]> {
    const before = await this.#beginCommit();
    const rest = await this.#commits.taken();
    return [...before, ...(rest ?? [])];
  }

  /** Gives up what was not sealed; sealed loads stay for the next run. */
  async [Symbol.asyncDispose](): Promise<void> {
    const open = this.#package;
    const lock = this.#lock;
    this.#package = undefined;
    this.#lock = undefined;
    try {
      await open?.discard();
      // Sealed before this was called, and on its way: it cannot be called back.
      await this.#commits.taken();
    } finally {
      await lock?.[Symbol.asyncDispose]();
    }
  }

  /** What has been committed since the last call; begins another commit if one is due. */
  async #committed(): Promise<readonly Checkpoint[]> {
    return this.#isDue(this.#opened()) ? this.#beginCommit() : (this.#commits.take() ?? []);
  }

  /**
   * Seals what is safe and begins to commit it: while the warehouse works, the next rows are read.
   * Waits for the commit before, so that there is never more than one.
   */
  async #beginCommit(): Promise<readonly Checkpoint[]> {
    const before = (await this.#commits.taken()) ?? [];
    const open = this.#opened();
    const run = this.#run;
    if (!open.isWorthCommitting || run === undefined) return before;
    const next = await this.#newPackage(run, this.#version + 1);
    this.#package = next;
    // A later bookmark covers what was refused before; one that is on the disk outlives this run.
    const [manifest, covered] = await sealed(open, next, this.#refused);
    this.#committedMs = this.#options.clock.monotonic();
    const commit = this.#commit(manifest, (attempt) => this.#patiently(attempt));
    // A stream that is not believed keeps its bookmark.
    const kept = () => covered.filter(({ stream }) => !this.#refused.has(stream));
    this.#commits.begin(commit.then(kept));
    return before;
  }

  #opened(): Package {
    if (this.#package !== undefined) return this.#package;
    throw new ConnectorError("internal", `${this.name}: written to before it was opened`);
  }

  #isDue(open: Package): boolean {
    const { clock, commitBytes = 64 * 1024 * 1024, commitMs = 300_000 } = this.#options;
    if (open.safeBytes >= commitBytes) return true;
    return open.isWorthCommitting && clock.monotonic() - this.#committedMs >= commitMs;
  }

  async #spool(batch: RecordBatch, file: SpoolFile): Promise<void> {
    const { observedAt, extractedAt } = batch;
    const [, extracted, digest] = META;
    const observed =
      observedAt === null ? "" : `"${OBSERVED_AT.name}":${JSON.stringify(observedAt)},`;
    const head = `${observed}"${extracted.name}":${JSON.stringify(extractedAt)},"${SEQUENCE.name}":`;
    for (const row of batch.rows) {
      const text = stringify(row);
      const sum = hash("sha256", text, "base64url").slice(0, 22);
      const comma = text.length === 2 ? "" : ",";
      this.#sequence += 1;
      const members = `${comma}${head}${String(this.#sequence)},"${digest.name}":"${sum}"}`;
      if (file.addObject(text, members)) await file.drain();
    }
  }

  async #newPackage(run: RunInfo, from: number): Promise<Package> {
    const { spoolDir, pipeline } = this.#options;
    const { runId, startedAt } = run;
    const loadId = newLoadId(this.#options, (this.#loads += 1));
    return Package.create(spoolDir, { loadId, runId, pipeline, startedAt, from });
  }

  async #patiently<T>(attempt: () => Promise<T>): Promise<T> {
    const { store, clock, emit } = this.#options;
    for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
      try {
        return await attempt();
      } catch (error) {
        const isHeld = error instanceof ConnectorError && error.kind === "locked";
        if (!isHeld || waitedMs >= PATIENCE_MS) throw error;
        if (waitedMs === 0) {
          const reason = `${store.place} is in use by another process`;
          emit({ type: "waiting", reason, waitMs: PATIENCE_MS });
        }
      }
      await clock.sleep(PAUSE_MS, this.#kill);
    }
  }

  async #commit(manifest: Manifest, patiently: Patience): Promise<void> {
    const { store, clock, toolVersion, emit, spoolDir } = this.#options;
    const { loadId, runId, pipeline, startedAt, parts } = manifest;
    const { maxVanishedRatio = MAX_VANISHED_RATIO } = this.#options;
    const committedAt = iso(clock.now());
    const record = { loadId, runId, pipeline, startedAt, committedAt, toolVersion };
    const refusals = await store.commit(manifest, record, patiently, { maxVanishedRatio });
    for (const refusal of refusals) {
      this.#refused.set(refusal.stream, tooMany(refusal, maxVanishedRatio));
    }
    this.#version = manifest.from + 1;
    await onDisk(() => rm(join(spoolDir, loadId), { recursive: true, force: true }));
    emit({ type: "committed", rows: parts.reduce((sum, { file }) => sum + (file?.rows ?? 0), 0) });
  }

  /** Tries the warehouse, and learns where its state stands. */
  async #begin(): Promise<State> {
    const { store, pipeline, strangers } = this.#options;
    const { pipelines, ...kept } = await store.prepare(pipeline);
    const stranger = strangers.find((name) => pipelines.includes(name));
    if (stranger !== undefined) {
      throw new ConnectorError(
        "config",
        `destination ${store.place}: holds rows of pipeline ${stranger}, which must not be mixed with ${pipeline}'s`,
        { hint: store.elsewhere },
      );
    }
    return this.#taken(kept);
  }

  #taken({ version, bookmarks }: KeptState): State {
    this.#version = version;
    if (version === 0) return EMPTY_STATE;
    const where = `_kb4_state of pipeline ${this.#options.pipeline}`;
    return parseState({ version: 1, bookmarks }, where);
  }

  /** Commits what an earlier run sealed, in order, and clears what it did not. */
  async #recover(): Promise<"as it was" | "committed"> {
    const { spoolDir, pipeline, emit } = this.#options;
    let state: "as it was" | "committed" = "as it was";
    for (const name of await loadsIn(spoolDir)) {
      const folder = join(spoolDir, name);
      const manifest = await readManifest(folder);
      if (manifest !== undefined && manifest.pipeline !== pipeline) continue;
      if (manifest?.from === this.#version) {
        await this.#commit(manifest, (attempt) => attempt());
        state = "committed";
        const rows = manifest.parts.reduce((sum, { file }) => sum + (file?.rows ?? 0), 0);
        const message = `committed ${String(rows)} rows that an earlier run had left`;
        emit({ type: "warning", stream: null, message });
      } else {
        // Never sealed, committed already, or older than what is there now.
        await onDisk(() => rm(folder, { recursive: true, force: true }));
      }
    }
    return state;
  }
}

/** A load that cannot be sealed would only fill the disk. */
async function sealed(
  open: Package,
  next: Package,
  refused: Parameters<Package["seal"]>[1],
): ReturnType<Package["seal"]> {
  try {
    return await open.seal(next, refused);
  } catch (error) {
    await open.discard();
    throw error;
  }
}
