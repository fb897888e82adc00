import { ConnectorError } from "../core/errors.js";
import { REGIONS, type Region } from "../core/regions.js";
import { nearest } from "../core/suggest.js";

/** Where each region's administrators log in, and where its Reporting API answers. */
const HOSTS: Readonly<Record<Region, { readonly console: string; readonly api: string }>> = {
  us: { console: "training.knowbe4.com", api: "https://us.api.knowbe4.com" },
  eu: { console: "eu.knowbe4.com", api: "https://eu.api.knowbe4.com" },
  ca: { console: "ca.knowbe4.com", api: "https://ca.api.knowbe4.com" },
  uk: { console: "uk.knowbe4.com", api: "https://uk.api.knowbe4.com" },
  de: { console: "de.knowbe4.com", api: "https://de.api.knowbe4.com" },
};

/** How to find out one's region; for hints. */
export const REGION_HINT =
  "the console's address tells the region: " +
  REGIONS.map((region) => `${HOSTS[region].console} is ${region}`).join(", ");

/**
 * The address that paths such as `/v1/users` are appended to: no slash at its end.
 *
 * The API key goes to this host and to no other, so only KnowBe4's own hosts and this machine are
 * accepted. A path prefix of a custom address is kept.
 *
 * @throws ConnectorError `config`, naming `region` or `api_url`.
 */
export function baseUrl(options: {
  readonly region: string;
  readonly apiUrl?: string | undefined;
}): string {
  if (options.apiUrl !== undefined) return customUrl(options.apiUrl);
  const region = REGIONS.find((known) => known === options.region);
  if (region !== undefined) return HOSTS[region].api;
  throw new ConnectorError("config", `region: ${JSON.stringify(options.region)} is not a region`, {
    hint: regionHint(options.region),
    context: { setting: "region" },
  });
}

function regionHint(given: string): string {
  const host = given.toLowerCase().replace(/^https?:\/\//, "");
  const meant = REGIONS.find((region) => {
    const { console: consoleHost, api } = HOSTS[region];
    return [consoleHost, new URL(api).host].some((h) => host === h || host.startsWith(`${h}/`));
  });
  const candidate = meant ?? nearest(given, REGIONS);
  const list = `use one of ${REGIONS.join(", ")}; ${REGION_HINT}`;
  return candidate === undefined ? list : `did you mean "${candidate}"? ${list}`;
}

function customUrl(text: string): string {
  // The text itself is never repeated: somebody may have put a password into it.
  const refuse = (what: string, hint: string): never => {
    throw new ConnectorError("config", `api_url: ${what}`, {
      hint,
      context: { setting: "api_url" },
    });
  };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.hostname === "") {
    return refuse("not an address", "leave api_url out, or write it as https://us.api.knowbe4.com");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    return refuse(
      "has a user, a password, a query or a fragment",
      "give the scheme, the host and at most a path; the key goes into api_key",
    );
  }
  if (isLoopback(url)) {
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      return refuse(`scheme ${url.protocol} cannot be asked`, "use http or https");
    }
  } else if (!url.hostname.endsWith(".api.knowbe4.com")) {
    return refuse(
      `host ${url.hostname} is not below api.knowbe4.com`,
      `leave api_url out and set region; ${REGION_HINT}`,
    );
  } else if (url.protocol !== "https:") {
    return refuse("KnowBe4 is asked by https only", "write https:// in api_url");
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** True if an address can only be this machine. */
export function isLoopback(url: URL): boolean {
  const host = url.hostname;
  return host === "localhost" || host === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
