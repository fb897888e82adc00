import type { Pii } from "../fields.js";

/**
 * What becomes of a value.
 *
 * - `keep`        it is handed on as it is
 * - `drop`        its column is left out
 * - `hash`        keyed hash: equal values stay equal, in whichever stream, and nothing else is told
 * - `mask`        `***`: only whether there was a value
 * - `truncate_ip` the network of an address: IPv4 without its last 8 bits, IPv6 its first 48
 */
export const ACTIONS = ["keep", "drop", "hash", "mask", "truncate_ip"] as const;

/** One of {@link ACTIONS}. */
export type Action = (typeof ACTIONS)[number];

/** Names of the presets, from the one that changes nothing to the one that tells least. */
export const PRESETS = ["full", "pseudonymous", "aggregate-only"] as const;

/** One of {@link PRESETS}. */
export type Preset = (typeof PRESETS)[number];

/** What is done with personal data before anything leaves the program. */
export interface PrivacySettings {
  readonly preset: Preset;
  /** Secret of the keyed hashes; needed where something is hashed. */
  readonly key?: string | undefined;
  /**
   * Exceptions from the preset: `users.email`, `enrollments.user.email` or a PII tag as `email`, to
   * an {@link Action}. A column's rule wins over a tag's, and both win over the preset.
   */
  readonly rules: Readonly<Record<string, string>>;
}

/** Every PII tag; a new one does not compile until it has a line in each preset. */
export const TAGS = [
  "identifier",
  "name",
  "email",
  "phone",
  "address",
  "behaviour",
  "work",
  "free_text",
] as const satisfies readonly Pii[];

/** What a preset does with fields of a tag, and with single columns. */
export interface PresetRules {
  readonly tags: Readonly<Record<Pii, Action>>;
  readonly columns: Readonly<Record<string, Action>>;
}

/**
 * What the presets mean. A key that a preset would drop is hashed: without it rows could not be
 * told apart.
 */
export const PRESET_RULES: Readonly<Record<Exclude<Preset, "full">, PresetRules>> = {
  pseudonymous: {
    tags: {
      identifier: "hash",
      name: "drop",
      email: "hash",
      phone: "drop",
      address: "truncate_ip",
      behaviour: "keep",
      work: "keep",
      free_text: "drop",
    },
    // A town is no network that could be truncated.
    columns: { "security_test_recipients.ip_location": "drop" },
  },
  "aggregate-only": {
    tags: {
      identifier: "drop",
      name: "drop",
      email: "drop",
      phone: "drop",
      address: "drop",
      behaviour: "keep",
      work: "drop",
      free_text: "drop",
    },
    // What people are counted by.
    columns: {
      "users.department": "keep",
      "users.division": "keep",
      "users.location": "keep",
      "users.organization": "keep",
    },
  },
};
