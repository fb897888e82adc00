import { ConnectorError } from "../errors.js";
import type { StreamReader } from "./context.js";

/** So many parents do not go by chance between their listing and their turn. */
const MANY = 3;

/** How many parents were read, in this run or before, and how many were not there any more. */
export interface Tally {
  read: number;
  gone: number;
}

export function newTally(read = 0): Tally {
  return { read, gone: 0 };
}

/**
 * One parent may go while the others are read; that all of them did is hard to believe.
 *
 * @throws ConnectorError `api_contract` if several parents were asked for and none was there.
 */
export function requireSome(reader: StreamReader, { read, gone }: Tally): void {
  if (read > 0 || gone < MANY) return;
  const { name, path } = reader.context.planned.def;
  throw new ConnectorError(
    "api_contract",
    `${name}: GET ${path} answered 404 for all of ${String(gone)} parents`,
    {
      hint: "the endpoint may have moved; nothing of this stream was kept",
      context: { stream: name, parents: gone },
    },
  );
}
