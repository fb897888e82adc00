import { constants } from "node:os";

import { ConnectorError, RECOVERY } from "../core/errors.js";

/** What the first and the second signal abort. */
export interface Signals extends Disposable {
  /** First signal: stop reading, commit what is safe. */
  readonly stop: AbortSignal;
  /** Second signal: end at once. */
  readonly kill: AbortSignal;
}

type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Listens to SIGINT, SIGTERM and SIGHUP until disposed. */
export function listenToSignals(onFirst: (name: string) => void): Signals {
  const stop = new AbortController();
  const kill = new AbortController();
  const names: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  const off = (): void => {
    for (const name of names) process.off(name, heard);
  };
  const heard = (name: StopSignal): void => {
    const reason = new ConnectorError("cancelled", `stopped by ${name}`, {
      context: { signal: name },
    });
    if (!stop.signal.aborted) {
      onFirst(name);
      stop.abort(reason);
      return;
    }
    kill.abort(reason);
    off();
    // With no listener left the signal does what it does to any program.
    process.kill(process.pid, name);
  };
  for (const name of names) process.on(name, heard);
  return { stop: stop.signal, kill: kill.signal, [Symbol.dispose]: off };
}

/** Exit status of a run that ended with this failure. */
export function exitCodeOf(error: ConnectorError | undefined): number {
  if (error === undefined) return 0;
  const signal = error.context["signal"];
  if (error.kind === "cancelled" && typeof signal === "string") {
    const number = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
    if (number !== undefined) return 128 + number;
  }
  return RECOVERY[error.kind].exitCode;
}
