import type { Clock } from "../../core/clock.js";
import type { StreamOutcome, SyncEvent } from "../../core/events.js";
import { canonical, type Json } from "../../core/json.js";
import type { RunInfo, Sink, SinkStream } from "../../core/ports.js";
import type { Checkpoint, RecordBatch } from "../../core/record.js";
import { SOURCE_KEY, type Bookmark } from "../../core/state.js";
import { Outlet } from "../outlet.js";
import {
  errorLine,
  estimateLine,
  logLine,
  stateLine,
  statusLine,
  type LogLevel,
} from "./messages.js";
import type { StreamState } from "./state.js";

/** What has been said about one stream. */
interface Told {
  isStarted: boolean;
  isRunning: boolean;
  /** Records and rejected rows since the last state. */
  records: number;
  rejected: number;
  number: number;
  /** The last state of this run, and what the API client remembered when it was written. */
  last?: { readonly bookmark: Bookmark; readonly source: Bookmark | undefined };
}

/**
 * Writes Airbyte messages: per stream STARTED, RUNNING, records with states between, a last state,
 * and COMPLETE or INCOMPLETE. What concerns people goes out as LOG on the same pipe.
 */
export class AirbyteWriter implements Sink {
  readonly name = "airbyte";
  readonly #outlet: Outlet<Checkpoint>;
  readonly #clock: Clock;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #streams = new Map<string, Told>();
  /** What the API client remembers; it goes along with every stream's state. */
  #source: Bookmark | undefined;
  /** The stream that is being read: a wait concerns it. */
  #current: string | undefined;

  /**
   * @param out usually stdout; it is never closed.
   * @param numbers of the last state of each stream, from the run before.
   */
  constructor(out: NodeJS.WritableStream, clock: Clock, numbers: ReadonlyMap<string, number>) {
    this.#outlet = new Outlet(out);
    this.#clock = clock;
    this.#numbers = numbers;
  }

  async open(run: RunInfo, signal: AbortSignal): Promise<void> {
    this.#outlet.watch(signal);
    this.#source = run.state.bookmarks[SOURCE_KEY];
    await Promise.resolve();
  }

  async declare(stream: SinkStream): Promise<void> {
    const number = this.#numbers.get(stream.name) ?? 0;
    const none = { isStarted: false, isRunning: false, records: 0, rejected: 0 };
    if (!this.#streams.has(stream.name)) this.#streams.set(stream.name, { ...none, number });
    await Promise.resolve();
  }

  /** Tells what a run tells, as far as the protocol has words for it. */
  event(event: SyncEvent): void {
    switch (event.type) {
      case "stream_started":
        this.#current = event.stream;
        this.#start(event.stream);
        break;
      case "waiting": {
        this.log("INFO", `waiting ${String(Math.ceil(event.waitMs / 1000))} s: ${event.reason}`);
        const until = this.#clock.now() + event.waitMs;
        const stream = this.#current ?? "";
        const told = this.#streams.get(stream);
        if (told?.isStarted !== true) break;
        this.#outlet.add(statusLine(this.#clock.now(), stream, "RUNNING", until));
        // It is running without a reason again once there are rows.
        told.isRunning = false;
        break;
      }
      case "estimate":
        this.#start(event.stream);
        if (this.#streams.has(event.stream)) {
          this.#outlet.add(estimateLine(this.#clock.now(), event.stream, event.rows));
        }
        break;
      case "warning":
        this.log(
          "WARN",
          event.stream === null ? event.message : `${event.stream}: ${event.message}`,
        );
        break;
      case "planned":
      case "request":
      case "page":
      case "checkpoint":
      case "committed":
      case "stream_finished":
        return;
    }
    this.#outlet.pushIfFree();
  }

  /** A line for people. Goes out with the next records if their reader lags behind. */
  log(level: LogLevel, message: string): void {
    this.#outlet.add(logLine(level, message));
    this.#outlet.pushIfFree();
  }

  async write(batch: RecordBatch): Promise<readonly Checkpoint[]> {
    this.#outlet.check();
    const { stream, checkpoint } = batch;
    const told = this.#streams.get(stream);
    if (told === undefined) {
      if (checkpoint?.stream !== SOURCE_KEY) return [];
      // Has no state of its own: it leaves with the next one, at the latest as this stream ends.
      this.#source = checkpoint.bookmark;
      this.#outlet.cover(checkpoint);
      return [];
    }
    this.#run(stream, told);
    const head = `{"type":"RECORD","record":{"stream":${JSON.stringify(stream)},"data":`;
    const tail = `,"emitted_at":${String(Date.parse(batch.extractedAt))}}}`;
    await this.#outlet.addRows(batch, head, tail);
    told.records += batch.rows.length;
    told.rejected += batch.rejects.length;
    if (checkpoint !== null) {
      this.#addState(stream, told, checkpoint.bookmark);
      this.#outlet.cover(checkpoint);
    }
    await this.#outlet.push();
    return this.#outlet.take();
  }

  async end(outcome: StreamOutcome): Promise<readonly Checkpoint[]> {
    const { stream, status, error } = outcome;
    const told = this.#streams.get(stream);
    if (told !== undefined) {
      const now = this.#clock.now();
      const isWhole = status === "complete" || status === "partial";
      if (isWhole) this.#run(stream, told);
      else this.#start(stream);
      const { last } = told;
      if (isWhole && last !== undefined && last.source !== this.#source) {
        this.#addState(stream, told, last.bookmark);
      }
      if (error !== undefined) this.#outlet.add(errorLine(now, error, stream));
      this.#outlet.add(statusLine(now, stream, isWhole ? "COMPLETE" : "INCOMPLETE"));
    }
    return this.flush();
  }

  async flush(): Promise<readonly Checkpoint[]> {
    return this.#outlet.settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#outlet.drop();
    await Promise.resolve();
  }

  #start(stream: string): void {
    const told = this.#streams.get(stream);
    if (told === undefined || told.isStarted) return;
    told.isStarted = true;
    this.#outlet.add(statusLine(this.#clock.now(), stream, "STARTED"));
  }

  #run(stream: string, told: Told): void {
    this.#start(stream);
    if (told.isRunning) return;
    told.isRunning = true;
    this.#outlet.add(statusLine(this.#clock.now(), stream, "RUNNING"));
  }

  #addState(stream: string, told: Told, bookmark: Bookmark): void {
    told.number += 1;
    const state: StreamState = {
      version: 1,
      number: told.number,
      bookmark,
      ...(this.#source === undefined ? {} : { source: this.#source }),
    };
    const { records, rejected } = told;
    const text = canonical(state as unknown as Json);
    this.#outlet.add(stateLine(stream, text, { records, rejected }));
    told.records = 0;
    told.rejected = 0;
    told.last = { bookmark, source: this.#source };
  }
}
