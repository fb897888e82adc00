import { ConnectorError } from "../errors.js";
import type { PlannedStream } from "../plan.js";
import type { Bookmark } from "../state.js";
import type { StreamDef } from "../stream.js";
import type { Protection } from "./privacy.js";
import { isBelowPeople } from "./seal.js";

/**
 * Refuses what would tell more of people than the rules allow, before anything is read.
 *
 * Rows that an earlier run handed on under other rules would not go together with those of this
 * one: keys differ, and what is dropped now would stay where it is. And whose rows are below
 * people, in a stream with rules, must not have their ids in the state for everybody to read.
 *
 * @throws ConnectorError `config`.
 */
export function requireSafe(planned: PlannedStream, protection: Protection | undefined): void {
  const { def, bookmark, emit } = planned;
  if (!emit) return;
  if (protection?.seal === null && isBelowPeople(def)) {
    throw new ConnectorError(
      "config",
      `privacy.key is missing: the state of ${def.name} would name people by their ids`,
      {
        hint: "set it to a random text that is kept, or privacy.key_file, or deselect the stream",
        context: { stream: def.name },
      },
    );
  }
  requireSameRules(def, bookmark, protection);
}

/**
 * Refuses rows that were handed on under other rules, or with another key.
 *
 * @throws ConnectorError `config`.
 */
export function requireSameRules(
  def: StreamDef,
  bookmark: Bookmark | null,
  protection: Protection | undefined,
): void {
  if (bookmark === null || isUnder(bookmark, protection)) return;
  throw new ConnectorError(
    "config",
    `${def.name}: earlier rows were handed on under other privacy rules or another privacy.key`,
    {
      hint: "set privacy back, or remove the old rows (drop the tables, or name another schema) and read everything again (--full-refresh, or no state)",
      context: { stream: def.name },
    },
  );
}

/** Whether a bookmark's rows were handed on under these rules. */
export function isUnder({ privacy }: Bookmark, protection: Protection | undefined): boolean {
  return privacy === protection?.print;
}
