import { readFileSync } from "node:fs";

import { loadConfig, readJson, type ConfigSources } from "../../config/load.js";
import { configSchema, type Config } from "../../config/schema.js";
import { ConnectorError } from "../../core/errors.js";
import { isObject, type JsonObject } from "../../core/json.js";
import { privacyOf } from "../privacy.js";

/** A file that a platform wrote: of any suffix, perhaps with a byte order mark. */
export function readGiven(path: string): unknown {
  return readJson(path, () => readFileSync(path, "utf8").replace(/^\uFEFF/, ""));
}

/**
 * The configuration that a platform passes: null is absent, and keys that are not ours, which
 * platforms add as they like, are warned about and left out.
 *
 * @throws ConnectorError `config`.
 */
export function readConfig(
  path: string,
  warn: (message: string) => void,
  more: Pick<ConfigSources, "withoutKey"> = {},
): Config {
  const given = readGiven(path);
  if (!isObject(given)) throw new ConnectorError("config", `config: ${path} is not a JSON object`);
  const known = Object.keys(configSchema.shape);
  const values = Object.fromEntries(
    Object.entries(withoutNulls(given)).filter(([key]) => {
      const isKnown = known.includes(key.replace(/_file$/, "")) && key !== "destination";
      if (!isKnown && !key.startsWith("_")) warn(`config: ${key} is not a setting: ignored`);
      return isKnown;
    }),
  );
  const config = loadConfig({ files: [], env: {}, overrides: values, ...more });
  privacyOf(config);
  return config;
}

function withoutNulls(values: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, isObject(value) ? withoutNulls(value) : value]),
  );
}
