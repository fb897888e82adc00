/**
 * What another connector is built from: declarations of streams, the engine that reads them, and
 * the protocols it speaks. See `docs/embedding.md`.
 */
export { iso, type Clock } from "./core/clock.js";
export { columnsOf, type Column } from "./core/columns.js";
export { ConnectorError, RECOVERY, type ErrorKind, type Recovery } from "./core/errors.js";
export type { Emit, StreamOutcome, SyncEvent } from "./core/events.js";
export * as fields from "./core/fields.js";
export type { Json, JsonObject } from "./core/json.js";
export { makePlan, type Selection, type SyncPlan } from "./core/plan.js";
export type {
  Listing,
  Page,
  PageSource,
  RunInfo,
  Sink,
  SinkStream,
  SourceMemory,
} from "./core/ports.js";
export { compilePrivacy, type Privacy } from "./core/privacy/privacy.js";
export type { PrivacySettings } from "./core/privacy/rules.js";
export type { ReadSettings } from "./core/read/context.js";
export type { RecordBatch, Reject, Row } from "./core/record.js";
export { EMPTY_STATE, parseState, type Checkpoint, type State } from "./core/state.js";
export { defineStream, type Replication, type StreamDef } from "./core/stream.js";
export { sync, type SyncOptions, type SyncResult } from "./core/sync.js";
export { airbyteCatalog } from "./protocols/airbyte/catalog.js";
export { readConfigured } from "./protocols/airbyte/configured.js";
export {
  catalogLine,
  connectionStatusLine,
  errorLine,
  specLine,
} from "./protocols/airbyte/messages.js";
export { readStates } from "./protocols/airbyte/state.js";
export { AirbyteWriter } from "./protocols/airbyte/writer.js";
export { catalogText } from "./protocols/singer/catalog.js";
export { defaultSelection, readSelection } from "./protocols/singer/selection.js";
export { SingerWriter } from "./protocols/singer/writer.js";
export { STREAMS } from "../streams/index.js";
