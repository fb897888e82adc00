import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

/**
 * The Airbyte protocol as far as a source speaks it, and stricter than its own schema: that one asks
 * for nothing but `type`, takes any further key, and lets an empty message pass.
 */

/** What a test looks into without declaring it. */
type Parsed = ReturnType<typeof JSON.parse>;

/** A message whose shape has been checked. */
export interface Message {
  readonly type: string;
  readonly record?: {
    readonly stream: string;
    readonly data: Readonly<Record<string, Parsed>>;
    readonly emitted_at: number;
  };
  readonly state?: StateMessage;
  readonly trace?: Parsed;
  readonly log?: { readonly level: string; readonly message: string };
  readonly spec?: Parsed;
  readonly connectionStatus?: { readonly status: string; readonly message?: string };
  readonly catalog?: { readonly streams: readonly Parsed[] };
}

/** State of one stream, as a platform keeps it and passes it back. */
export interface StateMessage {
  readonly type: string;
  readonly stream: {
    readonly stream_descriptor: { readonly name: string };
    readonly stream_state: Readonly<Record<string, Parsed>>;
  };
  readonly sourceStats: { readonly recordCount: number; readonly rejectedRecordCount: number };
}

const text = { type: "string", minLength: 1 };
const count = { type: "number", minimum: 0 };
const texts = { type: "array", items: text, minItems: 1 };

/** An object with these keys and no others; those that end in `?` may be missing. */
function object(keys: Readonly<Record<string, object>>): object {
  const named = Object.entries(keys).map(([key, schema]) => [key.replace("?", ""), schema]);
  return {
    type: "object",
    additionalProperties: false,
    required: Object.keys(keys).filter((key) => !key.endsWith("?")),
    properties: Object.fromEntries(named),
  };
}

const descriptor = object({ name: text });

const reason = object({
  type: { const: "RATE_LIMITED" },
  rate_limited: object({ quota_reset: { type: "integer" } }),
});

const trace = (type: string, key: string, body: object): object =>
  object({ type: { const: type }, emitted_at: count, [key]: body });

const stream = object({
  name: text,
  json_schema: { type: "object", required: ["type", "properties"] },
  supported_sync_modes: {
    type: "array",
    minItems: 1,
    uniqueItems: true,
    items: { enum: ["full_refresh", "incremental"] },
  },
  "source_defined_cursor?": { type: "boolean" },
  "default_cursor_field?": texts,
  "source_defined_primary_key?": { type: "array", items: texts, minItems: 1 },
  "is_resumable?": { type: "boolean" },
});

const BODIES: Readonly<Record<string, readonly [key: string, body: object]>> = {
  SPEC: [
    "spec",
    object({
      "documentationUrl?": { type: "string", format: "uri" },
      "supportsIncremental?": { type: "boolean" },
      connectionSpecification: { type: "object", required: ["type", "properties"] },
    }),
  ],
  CONNECTION_STATUS: [
    "connectionStatus",
    object({ status: { enum: ["SUCCEEDED", "FAILED"] }, "message?": text }),
  ],
  CATALOG: ["catalog", object({ streams: { type: "array", items: stream } })],
  RECORD: [
    "record",
    object({ stream: text, data: { type: "object" }, emitted_at: { type: "integer" } }),
  ],
  STATE: [
    "state",
    object({
      type: { const: "STREAM" },
      stream: object({ stream_descriptor: descriptor, stream_state: { type: "object" } }),
      sourceStats: object({ recordCount: count, rejectedRecordCount: count }),
    }),
  ],
  LOG: [
    "log",
    object({
      level: { enum: ["FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE"] },
      message: text,
    }),
  ],
  TRACE: [
    "trace",
    {
      oneOf: [
        trace(
          "ERROR",
          "error",
          object({
            message: text,
            internal_message: text,
            failure_type: { enum: ["system_error", "config_error", "transient_error"] },
            "stream_descriptor?": descriptor,
          }),
        ),
        trace(
          "ESTIMATE",
          "estimate",
          object({ name: text, type: { const: "STREAM" }, row_estimate: { type: "integer" } }),
        ),
        trace(
          "STREAM_STATUS",
          "stream_status",
          object({
            stream_descriptor: descriptor,
            status: { enum: ["STARTED", "RUNNING", "COMPLETE", "INCOMPLETE"] },
            "reasons?": { type: "array", minItems: 1, items: reason },
          }),
        ),
      ],
    },
  ],
};

/** A validator of JSON Schema, draft 7. */
export function validator(schema: object): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats as unknown as (instance: Ajv) => void)(ajv);
  return ajv.compile(schema);
}

const VALIDATORS = new Map(
  Object.entries(BODIES).map(([type, [key, body]]) => [
    type,
    validator(object({ type: { const: type }, [key]: body })),
  ]),
);

/** `JSON.parse` gives 1 for 1.0, so that a point is there can be seen only in the text. */
const COUNTS = /"sourceStats":\{"recordCount":\d+\.\d,"rejectedRecordCount":\d+\.\d\}/;

/** What is wrong with a line; undefined if nothing is. */
export function faultOf(line: string): string | undefined {
  let message: Message;
  try {
    message = JSON.parse(line) as Message;
  } catch {
    return `not JSON: ${line}`;
  }
  const validate = VALIDATORS.get(message.type);
  if (validate === undefined) return `no such type: ${line}`;
  if (!validate(message)) return `${JSON.stringify(validate.errors)} in ${line}`;
  if (message.type === "STATE" && !COUNTS.test(line)) return `counts without a point: ${line}`;
  return undefined;
}

/** The messages of everything that was written to stdout; throws if one of them is not sound. */
export function checked(written: string): readonly Message[] {
  if (written !== "" && !written.endsWith("\n")) throw new Error("the last line is cut off");
  return written
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const fault = faultOf(line);
      if (fault !== undefined) throw new Error(fault);
      return JSON.parse(line) as Message;
    });
}

/** Records of a stream, oldest first. */
export function recordsOf(messages: readonly Message[], name: string) {
  return messages.flatMap(({ record }) => (record?.stream === name ? [record] : []));
}

/** States of a stream, oldest first. */
export function statesOf(messages: readonly Message[], name: string): readonly StateMessage[] {
  return messages.flatMap(({ state }) =>
    state?.stream.stream_descriptor.name === name ? [state] : [],
  );
}

/** The last state of each stream: what a platform passes to the next run. */
export function kept(messages: readonly Message[]): readonly StateMessage[] {
  const states = messages.flatMap(({ state }) => (state === undefined ? [] : [state]));
  return [...new Map(states.map((s) => [s.stream.stream_descriptor.name, s])).values()];
}

/** Statuses of a stream, oldest first; one with a reason has an exclamation mark. */
export function statusesOf(messages: readonly Message[], name: string): readonly string[] {
  return messages.flatMap(({ trace: said }) => {
    const { stream_descriptor: of, status, reasons } = said?.stream_status ?? {};
    return of?.name === name ? [`${String(status)}${reasons === undefined ? "" : "!"}`] : [];
  });
}

/** Errors in the order in which they were told. */
export function errorsOf(messages: readonly Message[]): readonly Parsed[] {
  return messages.flatMap(({ trace: said }) => said?.error ?? []);
}

/** Texts of a level. */
export function logged(messages: readonly Message[], level: string): readonly string[] {
  return messages.flatMap(({ log }) => (log?.level === level ? [log.message] : []));
}
