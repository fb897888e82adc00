import { readFileSync } from "node:fs";

import { iso } from "../core/clock.js";
import type { ConnectorError } from "../core/errors.js";
import type { JsonObject } from "../core/json.js";

/** Levels of the log, quietest last. */
export const LEVELS = ["debug", "info", "warning", "error", "silent"] as const;

/** How much is logged. */
export type Level = (typeof LEVELS)[number];

/** How log lines look: text for people, or the JSON that Meltano parses. */
export type LogFormat = "text" | "json";

/** A measurement, in the field names of the Singer convention. */
export interface Metric {
  readonly type: "counter" | "timer";
  readonly metric: string;
  readonly value: number;
  readonly tags: JsonObject;
}

/** Writes lines for people and runners to stderr. Never to stdout, never a secret. */
export interface Log {
  readonly format: LogFormat;
  readonly level: Level;
  line(level: Exclude<Level, "silent">, message: string, stream?: string | null): void;
  metric(metric: Metric): void;
  /** A failure as one line for each line of its message, with what to do. */
  failure(error: ConnectorError): void;
}

/** What a log is made with. */
export interface LogOptions {
  /** Name of the program, at the start of failures and as `app_name`. */
  readonly program: string;
  readonly format: LogFormat;
  readonly level: Level;
  readonly write: (text: string) => void;
  readonly now: () => number;
  readonly pid: number;
}

/** Makes a log. */
export function makeLog(options: LogOptions): Log {
  const { program, format, level, write, now } = options;
  const shown = (at: Level) => LEVELS.indexOf(at) >= LEVELS.indexOf(level);
  // All eight fields on every line: Meltano takes a line with fewer for opaque text.
  const json = (at: Level, message: string, stream: string | null, metric: Metric | null) => {
    write(
      `${JSON.stringify({
        level: at,
        pid: options.pid,
        logger_name: program,
        ts: now() / 1000,
        thread_name: "main",
        app_name: program,
        stream_name: stream,
        message,
        extra: {},
        ...(metric === null ? {} : { metric_info: metric }),
      })}\n`,
    );
  };
  const line: Log["line"] = (at, message, stream = null) => {
    if (!shown(at)) return;
    if (format === "json") json(at, message, stream, null);
    else if (at === "info") write(`${iso(now())} ${message}\n`);
    else write(`${iso(now())} ${at}: ${message}\n`);
  };
  return {
    format,
    level,
    line,
    metric(metric) {
      if (!shown("info")) return;
      const text = `METRIC: ${JSON.stringify(metric)}`;
      if (format === "json") json("info", text, null, metric);
      else write(`${iso(now())} INFO ${text}\n`);
    },
    failure(error) {
      const lines = error.message.split("\n");
      lines.forEach((message, i) => {
        const hint = error.hint !== undefined && i === lines.length - 1 ? ` (${error.hint})` : "";
        if (format === "json") json("error", message + hint, null, null);
        else write(`${program}: ${message}${hint}\n`);
      });
    },
  };
}

/**
 * The format and level that the environment asks for: `SINGER_SDK_LOG_CONFIG` names a file whose
 * formatter says whether the runner wants structured lines, `TAP_KNOWBE4_LOGLEVEL` and `LOGLEVEL`
 * give the level.
 */
export function logSettings(env: Readonly<Record<string, string | undefined>>): {
  readonly format: LogFormat;
  readonly level: Level;
} {
  const asked = (env["TAP_KNOWBE4_LOGLEVEL"] ?? env["LOGLEVEL"] ?? "info").toLowerCase();
  const level = LEVELS.find((l) => l === asked || (l === "warning" && asked === "warn")) ?? "info";
  const config = env["SINGER_SDK_LOG_CONFIG"];
  return { level, format: config !== undefined && wantsJson(config) ? "json" : "text" };
}

function wantsJson(path: string): boolean {
  try {
    return /StructuredFormatter"?\s*[,}\n]/.test(readFileSync(path, "utf8"));
  } catch {
    return false;
  }
}
