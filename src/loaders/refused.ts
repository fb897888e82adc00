import { ConnectorError } from "../core/errors.js";
import { tooManyVanished, type Refusal } from "../core/vanished.js";

/** More rows had gone than is believed. */
export function tooMany(refusal: Refusal, most: number): ConnectorError {
  const setting = `max_vanished_ratio is ${String(most)}`;
  return tooManyVanished(refusal, setting, "--allow-vanished");
}

/** Rows came of what was never declared. */
export function undeclared(stream: string): ConnectorError {
  return new ConnectorError("internal", `${stream}: rows before the stream was declared`);
}
