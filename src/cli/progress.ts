import pc from "picocolors";

import type { SyncEvent } from "../core/events.js";
import { counted, duration } from "./format.js";
import type { TextOut } from "./io.js";
import type { Log } from "./log.js";
import type { StreamTally, Tally } from "./tally.js";

/** Shows a run while it goes on. */
export interface Progress {
  event(event: SyncEvent): void;
  /** Takes the view off the screen; what is printed afterwards stands on its own lines. */
  close(): void;
}

/** One line per stream as it ends, warnings and waits: for pipes, files and runners. */
export function plainProgress(log: Log, tally: Tally): Progress {
  return {
    event(event) {
      if (event.type === "stream_started") log.line("debug", "started", event.stream);
      else if (event.type === "warning")
        log.line("warning", text(event.stream, event.message), event.stream);
      else if (event.type === "waiting") log.line("info", waiting(event));
      else if (event.type === "request") log.line("debug", request(event), event.stream);
      else if (event.type === "stream_finished") {
        const { stream } = event.outcome;
        const counts = tally.streams.get(stream);
        if (counts !== undefined) log.line("info", `${stream}: ${summary(counts)}`, stream);
      }
    },
    close: () => undefined,
  };
}

/** A view that redraws itself, for a terminal. Warnings scroll by above it. */
export function liveProgress(out: TextOut, log: Log, tally: Tally, now: () => number): Progress {
  let drawn = 0;
  let last = -Infinity;
  let note = "";
  const erase = (): void => {
    if (drawn > 0) out.write(`\u001b[${String(drawn)}A\u001b[0J`);
    drawn = 0;
  };
  const draw = (): void => {
    erase();
    // A terminal that does not know its size says 0.
    const known = out.columns ?? 0;
    const width = (known > 0 ? known : 80) - 1;
    const lines = [...tally.streams.values()].map((s) => liveLine(s, width, now()));
    if (note !== "") lines.push(pc.dim(note.slice(0, width)));
    out.write(lines.map((line) => `${line}\n`).join(""));
    drawn = lines.length;
    last = now();
  };
  return {
    event(event) {
      if (event.type === "warning") {
        erase();
        log.line("warning", text(event.stream, event.message), event.stream);
      }
      note = event.type === "waiting" ? waiting(event) : note;
      if (event.type === "request") note = "";
      const matters =
        event.type === "stream_finished" || event.type === "waiting" || event.type === "warning";
      // Ten times a second is as much as an eye can follow.
      if (matters || now() - last > 100) draw();
    },
    close: erase,
  };
}

const MARKS: Readonly<Record<StreamTally["status"], string>> = {
  waiting: " ",
  reading: pc.cyan("›"),
  complete: pc.green("✓"),
  partial: pc.yellow("!"),
  failed: pc.red("✗"),
  skipped: pc.dim("-"),
};

function liveLine(s: StreamTally, width: number, now: number): string {
  const took = s.status === "reading" ? now - s.startedMs : s.tookMs;
  const counts = `${counted(s.rows, "row").padStart(16)}  ${counted(s.requests, "request").padStart(14)}  ${duration(took).padStart(8)}`;
  return `${MARKS[s.status]} ${`${s.stream.padEnd(27)}${counts}`.slice(0, width - 2)}`;
}

function summary(s: StreamTally): string {
  const retries =
    s.retries === 0 ? "" : `, ${counted(s.retries, "retry").replace(/retrys$/, "retries")}`;
  const rejected = s.rejected === 0 ? "" : `, ${counted(s.rejected, "row")} rejected`;
  const status = s.status === "complete" ? "" : ` (${s.status})`;
  return `${counted(s.rows, "row")} in ${counted(s.requests, "request")}${retries}${rejected}, ${duration(s.tookMs)}${status}`;
}

function waiting(event: { readonly reason: string; readonly waitMs: number }): string {
  return `waiting ${duration(event.waitMs)}: ${event.reason}`;
}

function request(event: Extract<SyncEvent, { type: "request" }>): string {
  const status = event.status === null ? "no answer" : String(event.status);
  return `GET ${event.endpoint} ${status} in ${duration(event.ms)}, attempt ${String(event.attempt)}`;
}

function text(stream: string | null, message: string): string {
  return stream === null ? message : `${stream}: ${message}`;
}
