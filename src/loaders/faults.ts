import { ConnectorError } from "../core/errors.js";
import type { Refusal } from "./commit.js";

/** So many rows of a table had gone at once that none was marked. @param most as a part of all rows. */
export function tooMany({ stream, vanished, live }: Refusal, most: number): ConnectorError {
  const [gone, all] = [vanished, live].map((n) => n.toLocaleString("en-US")) as [string, string];
  return new ConnectorError(
    "api_contract",
    `${stream}: ${gone} of ${all} rows did not come any more, and max_vanished_ratio is ${String(most)}: none was marked as deleted`,
    {
      hint: "if they have gone indeed, run once with --allow-vanished; if not, see what this key may read",
      context: { stream, vanished, live },
    },
  );
}

/** A program gave rows before it said what they look like. */
export function undeclared(stream: string): ConnectorError {
  return new ConnectorError("internal", `${stream}: rows before the stream was declared`);
}
