import { z } from "zod";

import { day, flag, id, instant, list, number, text } from "../src/core/fields.js";
import { defineStream } from "../src/core/stream.js";
import { DOCS, embeddedHistory } from "./shared.js";

/**
 * One row per person who has or had a seat, archived ones included.
 *
 * Read in full on every run: scores move daily, and no field says when the rest last changed.
 */
export const users = defineStream({
  name: "users",
  description: "One row per person who has or had a seat, archived ones included.",
  docs: DOCS,
  path: "/v1/users",
  primaryKey: ["id"],
  replication: { mode: "full_table" },
  aliases: {
    provisioning_managed: ["adi_manageable", "adi_mangeable"],
    provisioning_guid: ["adi_guid"],
  },
  priority: -10,
  expect: { perSeat: 1.1 },
  seat: { field: "status", except: "archived" },
  mentions: { manager_email: ["manager_name", "manager_email"] },
  schema: z.object({
    id: id("The person.", "identifier"),
    employee_number: text("Number given by the employer; may have leading zeros.", "identifier"),
    first_name: text("First name.", "name"),
    last_name: text("Last name.", "name"),
    job_title: text("Job title.", "work"),
    email: text("E-mail address that tests and training are sent to.", "email"),
    phish_prone_percentage: number("Failed phishing tests, in percent, 0 to 100.", "behaviour"),
    phone_number: text("Telephone number.", "phone"),
    extension: text("Extension of the telephone number.", "phone"),
    mobile_phone_number: text("Mobile telephone number.", "phone"),
    location: text("Place of work.", "work"),
    division: text("Division.", "work"),
    manager_name: text("Name of the manager.", "name"),
    manager_email: text("E-mail address of the manager.", "email"),
    provisioning_managed: flag("Whether a directory (SCIM or ADI) maintains this person."),
    provisioning_guid: text("The person's id in that directory.", "identifier"),
    groups: list(
      "Groups the person is in; `groups.id`. Null if the API leaves them out.",
      id("A group."),
      { shape: "ids" },
    ),
    current_risk_score: number("Risk score now, 0 (none) to 100.", "behaviour"),
    risk_score_history: embeddedHistory("behaviour"),
    aliases: list("Other e-mail addresses.", text("An address."), { pii: "email" }),
    joined_on: instant("When the person was added, UTC."),
    last_sign_in: instant("Last sign-in to KnowBe4, UTC; null for never.", "behaviour"),
    status: text("`active` or `archived`. Archived people keep their history and use no seat."),
    organization: text("Organization.", "work"),
    department: text("Department.", "work"),
    language: text("Preferred language, for example `English - United States`."),
    comment: text("Note written by an administrator.", "free_text"),
    employee_start_date: instant("First day of the employment, UTC.", "work"),
    archived_at: instant("When the person was archived, UTC; null while active."),
    custom_field_1: text("First field of the account's own choice.", "free_text"),
    custom_field_2: text("Second field of the account's own choice.", "free_text"),
    custom_field_3: text("Third field of the account's own choice.", "free_text"),
    custom_field_4: text("Fourth field of the account's own choice.", "free_text"),
    custom_date_1: day("First day of the account's own choice.", "free_text"),
    custom_date_2: day("Second day of the account's own choice.", "free_text"),
  }),
});
