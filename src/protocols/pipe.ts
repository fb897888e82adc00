import { ConnectorError } from "../core/errors.js";

/** Codes by which a platform says that whoever read the pipe has gone. */
const GONE = new Set([
  "EPIPE",
  "EOF",
  "ECONNRESET",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_WRITE_AFTER_END",
]);

/**
 * A stream of bytes that waits for its reader.
 *
 * Tells apart what was handed to the stream and what its write callback has confirmed, and fails
 * every later call once a write has failed.
 */
export class Pipe<Receipt> {
  readonly #out: NodeJS.WritableStream;
  /** What each write under way stands for, oldest first. */
  readonly #underWay: (readonly Receipt[])[] = [];
  #confirmed: Receipt[] = [];
  #failure: ConnectorError | undefined;
  /** The stream holds as much as it wants to and has not said that it took more. */
  #lags = false;
  /** Set while a call waits; called at every event that may be what it waits for. */
  #wake: (() => void) | undefined;

  constructor(out: NodeJS.WritableStream) {
    this.#out = out;
    // Stay for good: an error that comes after the last call would otherwise end the process.
    out.on("error", (error) => {
      this.#fail(error);
    });
    out.on("close", () => {
      this.#fail(Object.assign(new Error("closed"), { code: "ERR_STREAM_DESTROYED" }));
    });
    out.on("drain", () => {
      this.#lags = false;
      this.#wake?.();
    });
  }

  /** Ends waiting when the run is killed. */
  watch(signal: AbortSignal): void {
    const stop = (): void => {
      this.#failure ??= stopped(signal.reason);
      this.#wake?.();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  }

  /** True if the reader lags behind: {@link drained} has to be awaited before the next write. */
  get lags(): boolean {
    return this.#lags;
  }

  /** Hands bytes over, which must not change any more; `receipts` are confirmed with them. */
  write(bytes: Buffer, receipts: readonly Receipt[]): void {
    this.check();
    if (bytes.length === 0) {
      const last = this.#underWay.length - 1;
      if (last < 0) this.#confirmed.push(...receipts);
      else this.#underWay[last] = [...(this.#underWay[last] ?? []), ...receipts];
      return;
    }
    this.#underWay.push(receipts);
    const more = this.#out.write(bytes, (error) => {
      const done = this.#underWay.shift() ?? [];
      if (error == null) this.#confirmed.push(...done);
      else this.#fail(error);
      this.#wake?.();
    });
    this.#lags = !more;
  }

  /** Waits until the reader has caught up so far that more may be written. */
  async drained(): Promise<void> {
    await this.#until(() => !this.#lags);
  }

  /** Waits until everything written is confirmed. */
  async settled(): Promise<void> {
    await this.#until(() => this.#underWay.length === 0);
  }

  /** What was confirmed since the last call. */
  take(): readonly Receipt[] {
    const confirmed = this.#confirmed;
    this.#confirmed = [];
    return confirmed;
  }

  /** @throws ConnectorError if a write has failed. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #until(done: () => boolean): Promise<void> {
    for (;;) {
      this.check();
      if (done()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= failureOf(error);
    this.#wake?.();
  }
}

function failureOf(error: unknown): ConnectorError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  if (GONE.has(code)) {
    // What `head` does is no failure of ours: the exit status says it, as for any program.
    const context = { signal: "SIGPIPE" };
    return new ConnectorError("cancelled", "stdout: the reader closed the pipe", {
      context,
      cause: error,
    });
  }
  return new ConnectorError("destination", `stdout: a write failed (${code})`, { cause: error });
}

function stopped(reason: unknown): ConnectorError {
  if (reason instanceof ConnectorError) return reason;
  return new ConnectorError("cancelled", "stopped by a signal", { cause: reason });
}
