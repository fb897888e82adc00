import { expect, test } from "vitest";

import { renderAbout, type About } from "../../../src/protocols/singer/about.js";

/** What `--about` prints. */

const about: About = {
  name: "tap-things",
  description: "Reads things.",
  version: "1.2.3",
  capabilities: ["catalog", "discover", "state"],
  settings: {
    type: "object",
    required: ["api_key"],
    properties: {
      api_key: { type: "string", description: "Key.", secret: true, writeOnly: true },
      region: { type: "string", enum: ["us", "eu"], default: "us", description: "a | b\nc" },
      limits: {
        type: "object",
        required: ["per_day"],
        properties: {
          per_day: {
            anyOf: [{ type: "integer" }, { type: "null" }],
            default: null,
            description: "N.",
          },
        },
      },
      target: {
        oneOf: [
          { type: "object", required: ["path"], properties: { path: { description: "File." } } },
          { type: "object", properties: { path: { description: "File." }, mode: {} } },
        ],
      },
    },
  },
  streams: [{ name: "things", description: "One row per thing." }],
};

test("JSON has the SDK's names, and the settings as a JSON Schema", () => {
  const json = JSON.parse(renderAbout(about, "json")) as Record<string, unknown>;

  expect(Object.keys(json)).toEqual([
    ...["name", "description", "version", "sdk_version", "supported_python_versions"],
    ...["capabilities", "settings", "streams"],
  ]);
  expect(json).toMatchObject({ ...about, sdk_version: null });
});

test.each(["text", "markdown"] as const)("%s is the golden one", async (format) => {
  const file = `../../golden/singer/about.${format === "text" ? "txt" : "md"}`;
  await expect(renderAbout(about, format)).toMatchFileSnapshot(file);
});
