import { ConnectorError } from "./errors.js";
import type { StreamOutcome } from "./events.js";
import type { PlannedStream } from "./plan.js";

/**
 * The error of a spent quota with what a person wants to know next: which streams are complete,
 * what remains, and how much can go on when.
 */
export function withProgress(
  error: ConnectorError,
  done: readonly StreamOutcome[],
  planned: readonly PlannedStream[],
): ConnectorError {
  const complete = done.filter((o) => o.error === undefined).map((o) => o.stream);
  const remaining = planned
    .filter((p) => p.emit && !complete.includes(p.def.name))
    .map((p) => p.def.name);
  const possible = error.context["possible"];
  const parts = [
    error.message,
    `complete: ${complete.length === 0 ? "nothing" : complete.join(", ")}`,
    `remaining: ${remaining.join(", ")}`,
    ...(typeof possible === "string" ? [`requests possible: ${possible}`] : []),
  ];
  return new ConnectorError("quota", parts.join("; "), {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    context: { ...error.context, complete: complete.length, remaining: remaining.length },
    cause: error,
  });
}
