import type { ConnectorError } from "../../core/errors.js";
import { RECOVERY } from "../../core/errors.js";
import type { JsonObject } from "../../core/json.js";

/** Levels of a LOG message. */
export type LogLevel = "FATAL" | "ERROR" | "WARN" | "INFO" | "DEBUG";

/** How far a stream is. */
export type StreamStatus = "STARTED" | "RUNNING" | "COMPLETE" | "INCOMPLETE";

/** One message as a line. Optional keys are left out, never null: null breaks the schema. */
function line(type: string, key: string, body: JsonObject): string {
  return `${JSON.stringify({ type, [key]: body })}\n`;
}

/** @param spec as `connectionSpec` of the configuration makes it. */
export function specLine(spec: JsonObject): string {
  return line("SPEC", "spec", spec);
}

export function connectionStatusLine(status: "SUCCEEDED" | "FAILED", message?: string): string {
  const body = { status, ...(message === undefined ? {} : { message }) };
  return line("CONNECTION_STATUS", "connectionStatus", body);
}

export function catalogLine(catalog: JsonObject): string {
  return line("CATALOG", "catalog", catalog);
}

export function logLine(level: LogLevel, message: string): string {
  return line("LOG", "log", { level, message });
}

function traceLine(nowMs: number, type: string, key: string, body: JsonObject): string {
  return line("TRACE", "trace", { type, emitted_at: nowMs, [key]: body });
}

/** @param quotaResetMs when the API lets requests through again, if that is why nothing comes. */
export function statusLine(
  nowMs: number,
  stream: string,
  status: StreamStatus,
  quotaResetMs?: number,
): string {
  const reasons = [
    { type: "RATE_LIMITED", rate_limited: { quota_reset: Math.round(quotaResetMs ?? 0) } },
  ];
  return traceLine(nowMs, "STREAM_STATUS", "stream_status", {
    stream_descriptor: { name: stream },
    status,
    ...(quotaResetMs === undefined ? {} : { reasons }),
  });
}

export function estimateLine(nowMs: number, stream: string, rows: number): string {
  const estimate = { name: stream, type: "STREAM", row_estimate: rows };
  return traceLine(nowMs, "ESTIMATE", "estimate", estimate);
}

/** A failure; of one stream if it is named. Never a stack: it may quote what it should not. */
export function errorLine(nowMs: number, error: ConnectorError, stream?: string): string {
  const hint = error.hint === undefined ? "" : ` (${error.hint})`;
  const cause = error.cause instanceof Error ? error.cause.name : undefined;
  const internal = [error.kind, JSON.stringify(error.context), cause].filter(Boolean).join(" ");
  return traceLine(nowMs, "ERROR", "error", {
    message: error.message + hint,
    internal_message: internal,
    failure_type: RECOVERY[error.kind].airbyte,
    ...(stream === undefined ? {} : { stream_descriptor: { name: stream } }),
  });
}

/**
 * The state of one stream and how many records it covers since the one before.
 *
 * The protocol wants counts with a decimal point, which `JSON.stringify` leaves out.
 */
export function stateLine(
  stream: string,
  state: string,
  counts: { readonly records: number; readonly rejected: number },
): string {
  const { records, rejected } = counts;
  const stats = `{"recordCount":${records.toFixed(1)},"rejectedRecordCount":${rejected.toFixed(1)}}`;
  const name = JSON.stringify(stream);
  return `{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":${name}},"stream_state":${state}},"sourceStats":${stats}}}\n`;
}
