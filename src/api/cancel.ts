import type { Clock } from "../core/clock.js";
import { ConnectorError } from "../core/errors.js";

/** What to throw once a signal is aborted: its own reason where that is one of our errors. */
export function cancelled(signal: AbortSignal): ConnectorError {
  const reason: unknown = signal.reason;
  if (reason instanceof ConnectorError) return reason;
  return new ConnectorError("cancelled", "stopped before the answer was read", { cause: reason });
}

/** Settles as the promise does, or rejects as soon as the signal is aborted. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw cancelled(signal);
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(cancelled(signal));
    };
    signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Sleeps; rejects with `cancelled`, at once, when the signal is aborted. */
export async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch (error) {
    if (signal.aborted) throw cancelled(signal);
    throw error;
  }
}
