import { ConnectorError } from "../core/errors.js";
import type { Refusal } from "./commit.js";

/** More rows had gone than is believed. */
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

/** Rows came of what was never declared. */
export function undeclared(stream: string): ConnectorError {
  return new ConnectorError("internal", `${stream}: rows before the stream was declared`);
}
