import { ConnectorError } from "../core/errors.js";
import type { SinkStream } from "../core/ports.js";
import { currentOf, tableOf, type Mode, type Table } from "./table.js";

/** How a stream is loaded. */
export interface Declared {
  readonly table: Table;
  readonly mode: Mode;
}

/**
 * The table of a stream beside those that were declared before.
 *
 * @throws ConnectorError `config` for names that no warehouse could keep apart.
 */
export function declaredTable(stream: SinkStream, mode: Mode, before: readonly string[]): Table {
  const { name, primaryKey } = stream;
  const table = tableOf(stream);
  const others = before.filter((other) => other !== name);
  const isLike = (other: string, word: string) => other.toLowerCase() === word.toLowerCase();
  const twin = others.find((other) => isLike(other, name));
  if (twin !== undefined) {
    throw new ConnectorError("config", `streams ${twin} and ${name} differ only in case`, {
      hint: "deselect one of them",
    });
  }
  if (mode !== "history") return table;
  const viewed = others.find((other) => isLike(currentOf(other), name));
  const view = others.find((other) => isLike(other, currentOf(name)));
  if (viewed !== undefined || view !== undefined) {
    throw new ConnectorError(
      "config",
      `stream ${view ?? name} is named like the view of ${viewed ?? name}`,
      { hint: "deselect one of them, or set destination.mode to merge" },
    );
  }
  return primaryKey.length === 0 ? table : { ...table, hasHistory: true };
}
