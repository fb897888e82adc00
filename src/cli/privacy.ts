import type { Config } from "../config/schema.js";
import { ConnectorError } from "../core/errors.js";
import { compilePrivacy, type Privacy } from "../core/privacy/privacy.js";
import { STREAMS } from "../../streams/index.js";

/** The configured privacy rules. @throws ConnectorError `config` if they cannot be applied. */
export function privacyOf({ privacy }: Pick<Config, "privacy">): Privacy {
  return compilePrivacy(privacy, STREAMS);
}

/** Refuses privacy rules where rows are not ours: nobody knows what is personal in them. */
export function refusePrivacy({ privacy }: Config, command: string): void {
  if (privacy.preset === "full" && Object.keys(privacy.rules).length === 0) return;
  throw new ConnectorError("config", `${command}: privacy applies to rows of KnowBe4 only`, {
    hint: "set it where the messages are made, and leave it out here",
  });
}
