import { COMPANIES, DEPARTMENTS, LOCATIONS } from "../data/company.js";
import { CULTURES, MIXED_SHARE, plainName } from "../data/names.js";
import { at, below, DRAW, mix, pick, pickWeighted, unit, waiting } from "./random.js";
import { DAY_MS, HOUR_MS } from "./time.js";

/** What never changes about a person. Everything else is computed for an instant. */
export interface Person {
  /** Position in the order in which people were added; the order of their ids too. */
  readonly index: number;
  readonly id: number;
  readonly first: string;
  readonly last: string;
  readonly email: string;
  /** Position in {@link DEPARTMENTS}. */
  readonly department: number;
  /** Position in {@link LOCATIONS}. */
  readonly location: number;
  readonly title: string;
  readonly rank: "head" | "manager" | "staff";
  readonly joinedAt: number;
  /** When they leave if nobody archives them earlier. */
  readonly leavesAt: number;
  /** Deleted in the console: their history remains, without them. */
  readonly erased: boolean;
  /** How readily they fall for a test: 1 is usual, above 3 is a repeat clicker. */
  readonly credulous: number;
  /** How often they report: 1 is usual. */
  readonly vigilant: number;
  /** How late they are with training: 1 is usual. */
  readonly late: number;
}

export interface Population {
  readonly people: readonly Person[];
  /** Heads of departments, by department; undefined where nobody is. */
  readonly heads: readonly (Person | undefined)[];
  /** Managers below the head, by department. */
  readonly managers: readonly (readonly Person[])[];
  /** Adds whoever has joined by then. */
  extendTo(now: number): void;
}

export interface PopulationOptions {
  readonly seed: number;
  /** Active people at `dayZero`. */
  readonly size: number;
  readonly launchedAt: number;
  readonly dayZero: number;
}

/** Beyond 32 bits: an id is an integer, and not a small one. */
const FIRST_ID = 7_978_300_117;
/** One in so many of those who were there at the start has been archived since. */
const ARCHIVED_EVERY = 26;
/** One in so many of the archived has been deleted altogether. */
const ERASED_EVERY = 8;
/** Share that was imported when the account was opened; the others joined since. */
const IMPORTED_SHARE = 0.75;
const JOINING_PER_YEAR = 0.13;
const LEAVING_PER_YEAR = 0.12;

/** Everybody there is on day 0: so many active people, and those archived by then. */
export function createPopulation(options: PopulationOptions): Population {
  const { seed, size, dayZero } = options;
  const initial = size + Math.floor(size / (ARCHIVED_EVERY - 1));
  const people: Person[] = [];
  const mailboxes = new Map<string, number>();
  const heads: (Person | undefined)[] = DEPARTMENTS.map(() => undefined);
  const managers: Person[][] = DEPARTMENTS.map(() => []);
  const { domain } = at(COMPANIES, seed);
  const add = (joinedAt: number, leavesAt: number): void => {
    const index = people.length;
    const base = mix(seed, DRAW.person, index);
    const department = departmentOf(base);
    const archivedEarly = leavesAt <= dayZero;
    const isInitial = index < initial;
    const hasHead = heads[department] !== undefined || !isInitial || archivedEarly;
    const rank = !hasHead ? "head" : unit(base, 1) < 1 / 12 && isInitial ? "manager" : "staff";
    const person: Person = {
      index,
      id: FIRST_ID + index * 7 + below(7, base, 2),
      ...nameOf(base, domain, mailboxes),
      department,
      location: indexOfWeighted(LOCATIONS, base, 4),
      title: titleOf(department, rank, base),
      rank,
      joinedAt,
      leavesAt,
      erased: archivedEarly && Math.floor(index / ARCHIVED_EVERY) % ERASED_EVERY === 0,
      ...habitsOf(department, base),
    };
    people.push(person);
    if (rank === "head") heads[department] = person;
    if (rank === "manager") managers[department]?.push(person);
  };
  for (let index = 0; index < initial; index++) add(...timesOf(index, initial, options));
  let joiners = 0;
  return {
    people,
    heads,
    managers,
    extendTo(now) {
      for (;;) {
        const [joinedAt, leavesAt] = joinerTimes(joiners, options);
        if (joinedAt > now) return;
        joiners++;
        add(joinedAt, leavesAt);
      }
    },
  };
}

export function personById({ people }: Population, id: number): Person | undefined {
  const person = people[Math.floor((id - FIRST_ID) / 7)];
  return person?.id === id ? person : undefined;
}

/** A repeat clicker, for whom there is special training and a smart group. */
export function isClicker(person: Person): boolean {
  return person.credulous >= 3;
}

function timesOf(
  index: number,
  initial: number,
  { seed, launchedAt, dayZero }: PopulationOptions,
): [joinedAt: number, leavesAt: number] {
  const base = mix(seed, DRAW.person, index, 1);
  const since = Math.max(0, index / initial - IMPORTED_SHARE) / (1 - IMPORTED_SHARE);
  const joinedAt = launchedAt + Math.floor((since * (dayZero - launchedAt)) / DAY_MS) * DAY_MS;
  const isArchived = index % ARCHIVED_EVERY === ARCHIVED_EVERY - 1;
  if (isArchived) return [joinedAt, joinedAt + unit(base, 1) * (dayZero - joinedAt)];
  const stays = waiting(365 / LEAVING_PER_YEAR, base, 1);
  return [joinedAt, dayZero + (1 + Math.floor(stays)) * DAY_MS + 15 * HOUR_MS];
}

function joinerTimes(
  joiner: number,
  { seed, size, dayZero }: PopulationOptions,
): [joinedAt: number, leavesAt: number] {
  const base = mix(seed, DRAW.person, joiner, 2);
  const day = 1 + Math.floor(((joiner + unit(base, 0)) * 365) / (JOINING_PER_YEAR * size));
  const joinedAt = dayZero + day * DAY_MS + 7 * HOUR_MS;
  const stays = 20 + Math.floor(waiting(365 / LEAVING_PER_YEAR, base, 1));
  return [joinedAt, joinedAt + stays * DAY_MS + 8 * HOUR_MS];
}

function departmentOf(base: number): number {
  return indexOfWeighted(DEPARTMENTS, base, 3);
}

function indexOfWeighted(
  list: readonly { readonly weight: number }[],
  base: number,
  n: number,
): number {
  return list.indexOf(pickWeighted(list, base, n));
}

function nameOf(
  base: number,
  domain: string,
  mailboxes: Map<string, number>,
): Pick<Person, "first" | "last" | "email"> {
  const family = pickWeighted(CULTURES, base, 5);
  const given = unit(base, 6) < MIXED_SHARE ? pickWeighted(CULTURES, base, 7) : family;
  const first = pick(given.first, base, 8);
  const last = pick(family.last, base, 9);
  const mailbox = `${plainName(first)}.${plainName(last)}`;
  const before = mailboxes.get(mailbox) ?? 0;
  mailboxes.set(mailbox, before + 1);
  // Two people of one name: the second one's address gets a number.
  return { first, last, email: `${mailbox}${before === 0 ? "" : before + 1}@${domain}` };
}

function titleOf(department: number, rank: Person["rank"], base: number): string {
  const { head, manager, titles } = at(DEPARTMENTS, department);
  if (rank === "head") return head;
  if (rank === "manager") return manager;
  const title = pick(titles, base, 10);
  return unit(base, 11) < 0.18 ? `Senior ${title}` : title;
}

function habitsOf(
  department: number,
  base: number,
): Pick<Person, "credulous" | "vigilant" | "late"> {
  const { credulous, late } = at(DEPARTMENTS, department);
  const kind = unit(base, 12);
  const isRepeat = kind < 0.035;
  const usual = kind > 0.7 ? 0.12 : 0.4 + unit(base, 13) * 0.9;
  return {
    credulous: isRepeat ? 3 + unit(base, 13) * 3 : Math.min(2.5, usual * credulous),
    vigilant: (0.3 + unit(base, 14) * 1.4) * (isRepeat ? 0.4 : 1),
    late: late * (0.5 + unit(base, 15)),
  };
}
