import { configJsonSchema } from "../config/settings.js";
import { renderAbout, type AboutFormat } from "../protocols/singer/about.js";
import { STREAMS } from "../../streams/index.js";
import { version } from "./version.js";

/** What `tap-knowbe4 --about` prints. */
export function aboutTap(format: AboutFormat): string {
  const streams = STREAMS.map(({ name, description }) => ({ name, description }));
  return renderAbout(
    {
      name: "tap-knowbe4",
      description: "Singer tap for KnowBe4's Reporting API",
      version: version(),
      capabilities: ["catalog", "discover", "state", "about", "test", "structured-logging"],
      settings: configJsonSchema(),
      streams,
    },
    format,
  );
}
