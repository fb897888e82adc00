import { COMPANIES, DEPARTMENTS, LOCATIONS } from "../data/company.js";
import { plainName } from "../data/names.js";
import { groupIdsOf } from "./groups.js";
import { guid } from "./guid.js";
import { round, type Row } from "./json.js";
import type { Person } from "./population.js";
import { at, below, DRAW, mix, pick, unit } from "./random.js";
import { eventsOf } from "./recipients.js";
import { personRisk } from "./risk.js";
import { hasFailed } from "./tally.js";
import { testsOf, type PhishingTest } from "./tests.js";
import { dateOf, DAY_MS, HOUR_MS, instantOf, instantOrNull, startOfDay } from "./time.js";
import { isActive, isErased, leavesAt, nowOf, type World } from "./world.js";

const COMMENTS = [
  "Low PPP",
  "On parental leave until autumn",
  "Contractor, badge only",
  "Reports directly to the regional office\r\nsince the reorganization",
  "Asked for training in large print",
] as const;

/** People that `/v1/users` lists: archived ones too, deleted ones not. */
export function isVisible(world: World, person: Person): boolean {
  return !isErased(world, person);
}

/** One row of `/v1/users`. */
export function userRow(world: World, person: Person): Row {
  const now = nowOf(world);
  const base = mix(world.seed, DRAW.email, person.index);
  const { name, language, dial } = at(LOCATIONS, person.location);
  const { name: department, division } = at(DEPARTMENTS, person.department);
  const isArchived = !isActive(world, person, now);
  const manager = managerOf(world, person, base);
  return {
    id: person.id,
    employee_number: employeeNumber(person, base),
    first_name: person.first,
    last_name: person.last,
    job_title: person.title,
    email: person.email,
    phish_prone_percentage: phishProne(world, person),
    phone_number: `${dial} 0${100 + below(100, base, 1)}`,
    extension: unit(base, 2) < 0.6 ? String(1_000 + below(9_000, base, 3)) : null,
    mobile_phone_number: unit(base, 4) < 0.4 ? `${dial} 01${10 + below(90, base, 5)}` : null,
    location: name,
    division,
    manager_name: manager === null ? null : `${manager.first} ${manager.last}`,
    manager_email: manager?.email ?? null,
    provisioning_managed: isProvisioned(person),
    provisioning_guid: isProvisioned(person) ? guid(world.seed, person.index) : null,
    ...groupsField(world, person, isArchived, base),
    current_risk_score: personRisk(world, person, world.day),
    aliases: aliasesOf(person, base),
    joined_on: instantOf(person.joinedAt),
    last_sign_in: instantOrNull(lastSignIn(world, person, base)),
    status: isArchived ? "archived" : "active",
    organization: at(COMPANIES, world.seed).name,
    department,
    language,
    comment: unit(base, 7) < 0.04 ? pick(COMMENTS, base, 8) : null,
    employee_start_date: instantOf(startDate(person, base)),
    archived_at: isArchived ? instantOf(leavesAt(world, person)) : null,
    custom_field_1: `Building ${pick(["A", "B", "C", "D"], base, 9)}, Floor ${1 + below(6, base, 10)}`,
    custom_field_2: `CC-${4_000 + person.department * 100 + below(9, base, 11)}`,
    custom_field_3: unit(base, 12) < 0.1 ? "Contractor" : null,
    custom_field_4: null,
    custom_date_1: dateOf(startOfDay("1962-01-01") + below(14_600, base, 13) * DAY_MS),
    custom_date_2: null,
  };
}

/** The number as the enrollments give it: some as a number, some as text. */
export function enrollmentEmployeeNumber(world: World, person: Person): string | number | null {
  const number = employeeNumber(person, mix(world.seed, DRAW.email, person.index));
  return number !== null && person.index % 3 !== 0 ? Number(number) : number;
}

/** Failed tests of those delivered, in percent. */
function phishProne(world: World, person: Person): number {
  let delivered = 0;
  let failed = 0;
  for (const test of testsOf(world)) {
    if (!wasSent(world, test, person)) continue;
    const events = eventsOf(world, test, person);
    if (events.delivered !== null) delivered++;
    if (hasFailed(events)) failed++;
  }
  return delivered === 0 ? 0 : round((failed / delivered) * 100, 3);
}

function wasSent(world: World, test: PhishingTest, person: Person): boolean {
  if (test.isError || (test.department !== null && test.department !== person.department)) {
    return false;
  }
  return isActive(world, person, test.startsAt);
}

function employeeNumber(person: Person, base: number): string | null {
  return unit(base, 14) < 0.02 ? null : String(10_000 + person.index * 3 + below(3, base, 15));
}

function isProvisioned({ index }: Person): boolean {
  return index % 9 !== 0;
}

/** A few of the archived have null for their groups, or none. */
function groupsField(world: World, person: Person, isArchived: boolean, base: number): Row {
  if (isArchived && unit(base, 16) < 0.15) return {};
  if (isArchived && unit(base, 16) < 0.3) return { groups: null };
  return { groups: groupIdsOf(world, person) };
}

function aliasesOf(person: Person, base: number): readonly string[] {
  if (unit(base, 17) > 0.12) return [];
  const domain = person.email.slice(person.email.indexOf("@"));
  return [
    `${plainName(person.first).slice(0, 1)}${plainName(person.last)}.${person.index}${domain}`,
  ];
}

/** People sign in now and then: each at a pace of their own. */
function lastSignIn(world: World, person: Person, base: number): number | null {
  if (unit(base, 18) < 0.06) return null;
  const every = (20 + below(70, base, 19)) * DAY_MS;
  const phase = below(90, base, 20) * DAY_MS + below(9, base, 21) * HOUR_MS;
  const until = Math.min(nowOf(world), leavesAt(world, person));
  const at = Math.floor((until - phase) / every) * every + phase;
  return at < person.joinedAt ? null : at;
}

function startDate(person: Person, base: number): number {
  const midnight = Math.floor(person.joinedAt / DAY_MS) * DAY_MS;
  return midnight - below(1_500, base, 22) * DAY_MS;
}

/** Somebody of the same department, or its head; heads answer to the chief executive. */
function managerOf(world: World, person: Person, base: number): Person | null {
  const now = nowOf(world);
  const { heads, managers } = world.population;
  const isThere = (boss: Person | undefined): boss is Person =>
    boss !== undefined && boss.index !== person.index && isActive(world, boss, now);
  if (person.rank === "staff") {
    const candidates = at(managers, person.department);
    const first = below(Math.max(1, candidates.length), base, 23);
    for (let i = 0; i < Math.min(3, candidates.length); i++) {
      const boss = at(candidates, first + i);
      if (isThere(boss)) return boss;
    }
  }
  const head = heads[person.department];
  if (person.rank !== "head" && isThere(head)) return head;
  const chief = heads[0];
  return isThere(chief) ? chief : null;
}
