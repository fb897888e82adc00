import type { Json } from "../../../src/core/json.js";
import type { Row } from "./account.js";

/** A message of the tap, whichever. */
export interface Message {
  readonly type: string;
  readonly stream?: string;
  readonly record?: Row;
  readonly schema?: { readonly properties: Readonly<Record<string, unknown>> };
  readonly key_properties?: readonly string[];
  readonly value?: StateValue;
  readonly time_extracted?: string;
}

/** State as it stands in a STATE message. */
export interface StateValue {
  readonly version: number;
  readonly bookmarks: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

/** The messages of a text; whatever else is in it is a fault. */
export function messagesIn(text: string): readonly Message[] {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line is cut off");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Message);
}

/** Rows of a stream. */
export function recordsOf(messages: readonly Message[], stream: string): readonly Row[] {
  return messages.flatMap((m) => (m.type === "RECORD" && m.stream === stream ? [m.record!] : []));
}

/** The state that was written last. */
export function lastState(messages: readonly Message[]): StateValue {
  const last = messages.findLast((m) => m.type === "STATE")?.value;
  if (last === undefined) throw new Error("no STATE was written");
  return last;
}
