import { z } from "zod";

import { ACTIONS, PRESETS } from "../core/privacy/rules.js";
import { SECRET } from "./parts.js";

/**
 * What is done with personal data before anything leaves the program. Which columns and tags there
 * are is checked against the streams, by `core/privacy/`.
 */
export const privacy = z
  .strictObject({
    preset: z.enum(PRESETS).default("full").meta({
      title: "Preset",
      description:
        "full hands on everything; pseudonymous hashes who somebody is and drops names, phones and notes; aggregate-only leaves what people are counted by. See docs/privacy.md.",
    }),
    key: z
      .string()
      .trim()
      .min(1)
      .optional()
      .meta({
        ...SECRET,
        title: "Key of the hashes",
        description:
          "Random text of 16 characters or more that is kept: another key gives other hashes, and whoever has it can find a person by their address.",
      }),
    rules: z
      .record(z.string(), z.string())
      .default({})
      .meta({
        title: "Rules",
        description: `Exceptions from the preset, a JSON object: a column as users.email, enrollments.user.email, or a PII tag as email, to ${ACTIONS.join(", ")}.`,
      }),
  })
  .meta({
    title: "Privacy",
    description: "What is done with personal data before anything leaves the program.",
  });
