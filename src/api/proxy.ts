import { ConnectorError } from "../core/errors.js";
import { isLoopback } from "./regions.js";

/** What `fetch` takes as `dispatcher`; undici is only loaded where a proxy is set. */
export type Dispatcher = NonNullable<RequestInit["dispatcher"]>;

/** Environment variables, or some of them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The way to the API through the proxy that the environment names, NO_PROXY minded; undefined if
 * there is none or the target is this machine. Node's own `fetch` ignores these variables.
 *
 * @throws ConnectorError `config` if a variable holds no address. Its value is not repeated: it
 *   may carry a password.
 */
export async function proxyFor(target: URL, env: Environment): Promise<Dispatcher | undefined> {
  const of = (name: string) => [name.toLowerCase(), name].find((key) => (env[key] ?? "") !== "");
  const secure = of("HTTPS_PROXY");
  const plain = of("HTTP_PROXY");
  const names = [secure, plain].filter((name) => name !== undefined);
  if (names.length === 0 || isLoopback(target)) return undefined;
  for (const name of names) {
    if (URL.canParse(env[name] ?? "")) continue;
    throw new ConnectorError("config", `${name}: not an address`, {
      hint: `write ${name} as http://host:port`,
      context: { setting: name },
    });
  }
  const { EnvHttpProxyAgent } = await import("undici");
  const value = (name: string | undefined) => (name === undefined ? undefined : env[name]);
  const agent = new EnvHttpProxyAgent({
    httpProxy: value(plain) ?? "",
    httpsProxy: value(secure) ?? value(plain) ?? "",
    noProxy: value(of("NO_PROXY")) ?? "",
  });
  // The types of the package and of Node's own copy differ; version 7 works with Node's fetch.
  return agent as unknown as Dispatcher;
}
