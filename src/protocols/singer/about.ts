import { isObject, type JsonObject } from "../../core/json.js";

/** What a tap says about itself. */
export interface About {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly capabilities: readonly string[];
  /** JSON Schema of the configuration. */
  readonly settings: JsonObject;
  readonly streams: readonly { readonly name: string; readonly description: string }[];
}

/** How `--about` can look. */
export type AboutFormat = "text" | "json" | "markdown";

/** Renders what a tap says about itself, under the names that the Meltano SDK uses. */
export function renderAbout(about: About, format: AboutFormat): string {
  switch (format) {
    case "json":
      return json(about);
    case "markdown":
      return markdown(about);
    case "text":
      return text(about);
  }
}

function json(about: About): string {
  const { name, description, version, capabilities, settings, streams } = about;
  // Scripts that read the SDK's output expect these two to be there.
  const sdk = { sdk_version: null, supported_python_versions: null };
  const all = { name, description, version, ...sdk, capabilities, settings, streams };
  return `${JSON.stringify(all, null, 2)}\n`;
}

function text(about: About): string {
  const rows = settingsOf(about.settings);
  const width = Math.max(0, ...rows.map((s) => s.name.length));
  return [
    `Name: ${about.name}`,
    `Description: ${about.description}`,
    `Version: ${about.version}`,
    `Capabilities: ${about.capabilities.join(", ")}`,
    "Settings:",
    ...rows.map((s) => `  ${s.name.padEnd(width)}  ${facts(s)}`.trimEnd()),
    "Streams:",
    ...about.streams.map((s) => `  ${s.name}: ${s.description}`),
    "",
  ].join("\n");
}

function markdown(about: About): string {
  const cell = (value: string) => value.replaceAll("|", "\\|").replaceAll("\n", " ");
  return [
    `# \`${about.name}\``,
    "",
    about.description,
    "",
    `Version ${about.version}.`,
    "",
    "## Capabilities",
    "",
    ...about.capabilities.map((c) => `- \`${c}\``),
    "",
    "## Settings",
    "",
    "| Setting | Required | Default | Description |",
    "| :------ | :------: | :------ | :---------- |",
    ...settingsOf(about.settings).map(
      (s) =>
        `| \`${s.name}\` | ${s.required ? "yes" : "no"} | ${cell(s.default)} | ${cell(s.description)} |`,
    ),
    "",
    "## Streams",
    "",
    "| Stream | Rows |",
    "| :----- | :--- |",
    ...about.streams.map((s) => `| \`${s.name}\` | ${cell(s.description)} |`),
    "",
  ].join("\n");
}

interface SettingRow {
  readonly name: string;
  readonly required: boolean;
  /** As JSON; empty if there is none. */
  readonly default: string;
  readonly description: string;
}

function facts(setting: SettingRow): string {
  if (setting.required) return `${setting.description} (required)`;
  if (setting.default === "") return setting.description;
  return `${setting.description} (default ${setting.default})`;
}

/** Settings that take a plain value, dots into groups; variants of a group one after another. */
function settingsOf(schema: JsonObject, prefix = "", optional = false): readonly SettingRow[] {
  const variants = [schema["oneOf"], schema["anyOf"]].find(Array.isArray) ?? [];
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const own = Object.entries(properties).flatMap(([key, node]): readonly SettingRow[] => {
    if (!isObject(node)) return [];
    const name = prefix + key;
    const free = optional || !required.includes(key);
    const inside = settingsOf(node, `${name}.`, free);
    if (inside.length > 0) return inside;
    const { default: given, description } = node;
    return [
      {
        name,
        required: !free && given === undefined,
        default: given === undefined || given === null ? "" : JSON.stringify(given),
        description: typeof description === "string" ? description.replaceAll("\n", " ") : "",
      },
    ];
  });
  const below = variants.flatMap((v: unknown) =>
    isObject(v) ? settingsOf(v, prefix, optional) : [],
  );
  return [...new Map([...own, ...below].map((row) => [row.name, row])).values()];
}
