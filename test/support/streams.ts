import { z } from "zod";

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
} from "../../src/core/fields.js";
import { defineStream } from "../../src/core/stream.js";

/** Small streams of every kind, for tests of the engine. */

const docs = "https://example.org/api";

/** A listing with every type of column, aliases and a list that memberships are derived from. */
export const people = defineStream({
  name: "people",
  description: "One row per person.",
  docs,
  path: "/v1/people",
  schema: z.object({
    id: id("The person.", "identifier"),
    name: text("Name.", "name"),
    status: text("`active` or `archived`."),
    managed: flag("Managed elsewhere."),
    logins: integer("Number of sign-ins."),
    score: number("Risk score, 0 to 100.", "behaviour"),
    joined_on: instant("When they joined."),
    born: day("Birthday."),
    boss: object("Their manager.", {
      id: id("The manager."),
      email: text("Address of the manager.", "email"),
      since: instant("Since when."),
    }),
    aliases: list("Other addresses.", text("An address."), { pii: "email" }),
    teams: list("Teams.", id("A team."), { shape: "ids" }),
    jobs: list("Jobs.", object("A job.", { title: text("Title."), start: day("First day.") }), {
      shape: "flat",
    }),
  }),
  primaryKey: ["id"],
  aliases: { managed: ["adi_managed", "directory.managed"], name: ["full-name"] },
  replication: { mode: "full_table" },
});

/** A listing below which other streams stand. */
const teams = defineStream({
  name: "teams",
  description: "One row per team.",
  docs,
  path: "/v1/teams",
  schema: z.object({
    id: id("The team."),
    name: text("Name."),
    member_count: integer("Number of members who are not archived."),
  }),
  primaryKey: ["id"],
  replication: { mode: "full_table" },
});

/** A full child stream that another stream's rows carry. */
export const members = defineStream({
  name: "members",
  description: "One row per person and team.",
  docs,
  path: "/v1/teams/{team_id}/members",
  schema: z.object({ team_id: id("The team."), person_id: id("The person.", "identifier") }),
  primaryKey: ["team_id", "person_id"],
  aliases: { person_id: ["id"] },
  repeats: people,
  replication: { mode: "full_table" },
  parent: { stream: teams, bind: { team_id: "id" } },
  derive: {
    stream: people,
    list: "teams",
    key: "id",
    as: "person_id",
    count: "member_count",
    except: { field: "status", value: "archived" },
  },
});

/** Parents with counters. */
const exams = defineStream({
  name: "exams",
  description: "One row per exam.",
  docs,
  path: "/v1/exams",
  schema: z.object({
    exam_id: id("The exam."),
    status: text("`Active` or `Closed`."),
    passed_count: integer("Number of people who passed."),
  }),
  primaryKey: ["exam_id"],
  replication: { mode: "full_table" },
});

/** A child stream that is read below parents whose fingerprint changed. */
export const results = defineStream({
  name: "results",
  description: "One row per person and exam.",
  docs,
  path: "/v1/exams/{exam_id}/results",
  schema: z.object({
    exam_id: id("The exam."),
    result_id: id("The result."),
    passed_at: instant("When it was passed."),
  }),
  primaryKey: ["exam_id", "result_id"],
  replication: { mode: "incremental", by: "fingerprint", of: ["status", "passed_count"] },
  parent: { stream: exams, bind: { exam_id: "exam_id" } },
});

/** Slices of the next stream. */
const courses = defineStream({
  name: "courses",
  description: "One row per course.",
  docs,
  path: "/v1/courses",
  schema: z.object({
    course_id: id("The course."),
    name: text("Name."),
    status: text("`Open`, `Closed` or `Completed`."),
    end_date: instant("When it ends."),
  }),
  primaryKey: ["course_id"],
  replication: { mode: "full_table" },
});

/** A listing that can be read course by course. */
export const enrolments = defineStream({
  name: "enrolments",
  description: "One row per enrolment.",
  docs,
  path: "/v1/enrolments",
  schema: z.object({
    enrolment_id: id("The enrolment."),
    course_id: id("The course."),
    status: text("How far they are."),
  }),
  primaryKey: ["enrolment_id"],
  replication: {
    mode: "incremental",
    by: "slices",
    stream: courses,
    param: "course_id",
    status: "status",
    over: ["Closed", "Completed"],
    end: "end_date",
  },
});

const history = {
  mode: "incremental",
  by: "cursor",
  cursor: "date",
  lookbackDays: 3,
  fullQuery: { full: "true" },
  fullAfterDays: 150,
} as const;

/** A dated history of the account. */
export const scores = defineStream({
  name: "scores",
  description: "One row per day.",
  docs,
  path: "/v1/scores",
  listing: "whole",
  schema: z.object({ date: day("The day."), score: number("Risk score, 0 to 100.") }),
  primaryKey: ["date"],
  replication: history,
});

/** A dated history below parents. */
const teamScores = defineStream({
  name: "team_scores",
  description: "One row per team and day.",
  docs,
  path: "/v1/teams/{team_id}/scores",
  listing: "whole",
  schema: z.object({
    team_id: id("The team."),
    date: day("The day."),
    score: number("Risk score, 0 to 100."),
  }),
  primaryKey: ["team_id", "date"],
  replication: history,
  parent: { stream: teams, bind: { team_id: "id" } },
});

/** All of them, in no helpful order: parents come after their children. */
export const REGISTRY = [
  members,
  results,
  enrolments,
  scores,
  teamScores,
  people,
  teams,
  exams,
  courses,
] as const;
