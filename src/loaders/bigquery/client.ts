import { readFileSync } from "node:fs";

import type { BigQuery } from "@google-cloud/bigquery";

import { ConnectorError } from "../../core/errors.js";
import { isObject } from "../../core/json.js";
import { loadDriver } from "../driver.js";

/** How BigQuery is reached; names as in the configuration. */
export interface BigQuerySettings {
  readonly project: string;
  readonly dataset: string;
  readonly location?: string | undefined;
  readonly create_dataset: boolean;
  readonly key_file?: string | undefined;
  readonly key_json?: string | undefined;
  readonly impersonate?: string | undefined;
  readonly max_bytes_billed?: number | undefined;
  readonly api_endpoint?: string | undefined;
}

const PACKAGES = ["@google-cloud/bigquery@^8.3.1", "google-auth-library@^10"];
const SCOPES = ["https://www.googleapis.com/auth/bigquery"];

/** Times the client repeats a request of its own accord; what is sent under an id we repeat. */
const RETRIES = 2;

/** Makes clients, all with the same credentials. */
export type MakeClient = (location: string | undefined) => Promise<BigQuery>;

/**
 * Makes clients of a project; the driver is loaded with the first one.
 *
 * @throws ConnectorError `config` for an endpoint that is not this machine, a key that is none, and a
 *   driver that is not installed.
 */
export function clientsOf(settings: BigQuerySettings): MakeClient {
  const { project: projectId, api_endpoint: endpoint } = settings;
  if (endpoint !== undefined) requireLoopback(endpoint);
  const key = keyOf(settings);
  return async (location) => {
    const { BigQuery: Client, auth } = await loadDriver("bigquery", PACKAGES, async () => ({
      ...(await import("@google-cloud/bigquery")),
      auth: await import("google-auth-library"),
    }));
    const common = {
      projectId,
      maxRetries: RETRIES,
      ...(location === undefined ? {} : { location }),
    };
    if (endpoint !== undefined) {
      const authClient = new auth.PassThroughClient();
      const local = { apiEndpoint: endpoint, useAuthWithCustomEndpoint: true, authClient };
      return new Client({ ...common, ...local });
    }
    const found = new auth.GoogleAuth({
      projectId,
      scopes: SCOPES,
      ...(key === undefined ? {} : { credentials: key }),
    });
    const { impersonate } = settings;
    const source = await found.getClient();
    const authClient =
      impersonate === undefined
        ? source
        : new auth.Impersonated({
            sourceClient: source,
            targetPrincipal: impersonate,
            targetScopes: SCOPES,
          });
    return new Client({ ...common, authClient });
  };
}

/** Tests only: rows must not go to somebody else's server. */
function requireLoopback(endpoint: string): void {
  let host = "";
  try {
    host = new URL(endpoint).hostname;
  } catch {
    // Told below.
  }
  if (/^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(host)) return;
  throw new ConnectorError("config", "destination.api_endpoint: not an address of this machine", {
    hint: "leave it out; it is for tests, as http://127.0.0.1:9050",
  });
}

/** The key as the library takes it; undefined for application default credentials. */
function keyOf({ key_file: file, key_json: text }: BigQuerySettings) {
  if (file !== undefined && text !== undefined) {
    throw new ConnectorError(
      "config",
      "destination.key_file and destination.key_json are both set",
      { hint: "leave one out" },
    );
  }
  if (file !== undefined) return parsed("destination.key_file", () => readFileSync(file, "utf8"));
  return text === undefined ? undefined : parsed("destination.key_json", () => text);
}

function parsed(setting: string, read: () => string): Readonly<Record<string, string>> {
  let content: string;
  try {
    content = read();
  } catch (error) {
    throw new ConnectorError("config", `${setting}: the file cannot be read`, { cause: error });
  }
  try {
    const key: unknown = JSON.parse(content);
    if (isObject(key) && typeof key["type"] === "string") return key as Record<string, string>;
  } catch {
    // Told below: the parser's text quotes what it found.
  }
  throw new ConnectorError("config", `${setting}: not a key of Google's in JSON`, {
    hint: "gcloud iam service-accounts keys create key.json --iam-account=...",
  });
}
