import {
  day,
  flag,
  id,
  instant,
  integer,
  list,
  number,
  object,
  text,
  type Pii,
} from "../src/core/fields.js";

/** The vendor's reference of the Reporting API, which all schemas were read from. */
export const DOCS = "https://developer.knowbe4.com/rest/reporting";

/** How a person is embedded in other rows. */
export const PERSON = {
  id: id("The person; `users.id`.", "identifier"),
  first_name: text("First name.", "name"),
  last_name: text("Last name.", "name"),
  email: text("E-mail address.", "email"),
} as const;

/** Groups that a campaign or a test was sent to. */
export const groupRefs = (description: string) =>
  list(
    description,
    object("A group.", {
      group_id: id("The group; `groups.id`. 0 stands for all users."),
      name: text("Name of the group at that time."),
    }),
  );

/** The e-mail or page that a test used; both members are null if it was deleted. */
export const pageRef = (description: string) =>
  object(description, {
    id: integer("Its number; 0 is the vendor's default."),
    name: text("Its name."),
  });

/** Risk scores by day, as older versions of the API embedded them. */
export const embeddedHistory = (pii?: Pii) =>
  list(
    "Risk scores by day, from older versions of the API; else null.",
    object("A day.", {
      risk_score: number("Risk score on that day, 0 (none) to 100.", pii),
      date: day("The day, UTC."),
    }),
    pii === undefined ? {} : { pii },
  );

/** What a piece of training content says about itself, bought or uploaded. */
export const CONTENT = {
  content_type: text("`Store Purchase` or `Uploaded Policy`; others may be added."),
  name: text("Title."),
} as const;

/** What only bought content says about itself. */
export const PURCHASE = {
  description: text("What the content is about; may hold HTML."),
  type: text("Kind of content, for example `Training Module`."),
  duration: integer("Expected length, in minutes."),
  retired: flag("Whether it was taken out of the store; it can still be assigned elsewhere."),
  retirement_date: instant("When it was or will be taken out of the store, UTC."),
  publish_date: instant("When it was published, UTC."),
  publisher: text("Who made it."),
  purchase_date: instant("When it was added to the account, UTC."),
  policy_url: text("Address of the document, if the content is one."),
} as const;

/** What only an uploaded policy says about itself. */
export const POLICY = {
  minimum_time: integer("Least time a reader must stay on it, in minutes."),
  default_language: text("Language shown unless the reader picks another, for example `en-us`."),
} as const;

/**
 * How risk histories are read: one row per day, appended. The last week is read again, in
 * case KnowBe4 restates scores of past days. Without `full` the API gives six months, and an older
 * bookmark would leave a gap.
 */
export const DAILY = {
  mode: "incremental",
  by: "cursor",
  cursor: "date",
  lookbackDays: 7,
  fullQuery: { full: "true" },
  fullAfterDays: 150,
} as const;
