import { ConnectorError } from "./errors.js";

/** Part of a stream's rows that may go between two runs without a person being asked. */
export const MAX_VANISHED_RATIO = 0.2;

/** So much of a stream had gone at once that it was not believed. */
export interface Refusal {
  readonly stream: string;
  readonly vanished: number;
  /** Of so many rows. */
  readonly live: number;
}

/**
 * More rows had gone than is believed.
 *
 * @param setting what says how many may, with its value.
 * @param remedy how to let it pass once.
 */
export function tooManyVanished(
  { stream, vanished, live }: Refusal,
  setting: string,
  remedy: string,
): ConnectorError {
  const [gone, all] = [vanished, live].map((n) => n.toLocaleString("en-US")) as [string, string];
  return new ConnectorError(
    "api_contract",
    `${stream}: ${gone} of ${all} rows did not come any more, and ${setting}: none was marked as deleted`,
    {
      hint: `if they have gone indeed, run once with ${remedy}; if not, see what this key may read`,
      context: { stream, vanished, live },
    },
  );
}
