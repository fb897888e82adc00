import { DEPARTMENTS, LOCATIONS } from "../data/company.js";
import { guid } from "./guid.js";
import type { Row } from "./json.js";
import { isClicker, type Person } from "./population.js";
import { at, DRAW, mix, unit } from "./random.js";
import { groupRisk } from "./risk.js";
import { DAY_MS } from "./time.js";
import { isActive, nowOf, type World } from "./world.js";

export interface Group {
  readonly id: number;
  readonly name: string;
  readonly type: "console_group" | "smart_group" | "adi_managed_group";
  readonly status: "active" | "archived";
  /** Whether people's own rows mention it; one smart group shows only in its members. */
  readonly isListed: boolean;
  /** How much riskier its people are than the account, in points. */
  readonly bias: number;
  readonly has: (person: Person, now: number, seed: number) => boolean;
}

/** The pseudo-group of campaigns and tests that go to everybody; it is not in `/v1/groups`. */
export const ALL_USERS: Row = { group_id: 0, name: "All Users" };

const NEW_HIRE_MS = 90 * DAY_MS;

const nobody = (): boolean => false;

/** All groups, by id. Departments come first: their positions are those of {@link DEPARTMENTS}. */
export const GROUPS: readonly Group[] = [
  ...DEPARTMENTS.map((department, i) => ({
    name: department.name,
    type: "console_group" as const,
    bias: (department.credulous - 1) * 8 + (department.late - 1) * 4,
    has: (person: Person) => person.department === i,
  })),
  ...LOCATIONS.map(({ name }, i) => ({
    name: `Site ${name}`,
    type: "adi_managed_group" as const,
    bias: (i % 5) - 2,
    has: (person: Person) => person.location === i,
  })),
  {
    name: "People Managers",
    type: "console_group" as const,
    bias: -2,
    has: (person: Person) => person.rank !== "staff",
  },
  {
    name: "VPN Users",
    type: "console_group" as const,
    bias: 1,
    has: (person: Person, _now: number, seed: number) =>
      unit(mix(seed, DRAW.person, person.index, 3), 0) < 0.35,
  },
  {
    name: "New Hires (90 days)",
    type: "smart_group" as const,
    bias: 6,
    has: (person: Person, now: number) => now - person.joinedAt < NEW_HIRE_MS,
  },
  {
    name: "Repeat Clickers",
    type: "smart_group" as const,
    isListed: false,
    bias: 24,
    has: isClicker,
  },
  { name: "Pilot Group", type: "console_group" as const, status: "archived", bias: 0, has: nobody },
  {
    name: "Old Tampa Office",
    type: "console_group" as const,
    status: "archived",
    bias: 3,
    has: nobody,
  },
].map((group, i) => ({
  status: "active" as const,
  isListed: true,
  ...group,
  id: 3_142 + i * 37,
})) as readonly Group[];

export function isMember(world: World, group: Group, person: Person): boolean {
  const { moves } = world.overrides;
  const moved = moves.size === 0 ? undefined : moves.get(person.index)?.get(group.id);
  return moved ?? group.has(person, nowOf(world), world.seed);
}

/** Indexes of the members, ascending: archived people are not counted. */
export function membersOf(world: World, group: Group): Int32Array {
  return world.memos.members(group.id, String(world.version), () => {
    const now = nowOf(world);
    const indexes: number[] = [];
    for (const person of world.population.people) {
      if (isMember(world, group, person) && isActive(world, person, now))
        indexes.push(person.index);
    }
    return Int32Array.from(indexes);
  });
}

/** Ids of the groups that a person's row mentions. */
export function groupIdsOf(world: World, person: Person): readonly number[] {
  const ids: number[] = [];
  for (const group of GROUPS) {
    if (group.isListed && isMember(world, group, person)) ids.push(group.id);
  }
  return ids;
}

export function groupById(id: number): Group | undefined {
  return GROUPS.find((group) => group.id === id);
}

/** One row of `/v1/groups`. */
export function groupRow(world: World, group: Group): Row {
  return {
    id: group.id,
    name: groupName(world, group),
    group_type: group.type,
    provisioning_guid: group.type === "adi_managed_group" ? guid(world.seed, -group.id) : null,
    member_count: membersOf(world, group).length,
    current_risk_score: groupRisk(world, group, world.day),
    status: group.status,
  };
}

/** How other rows mention the group of a department or a site. */
export function groupRef(world: World, group: Group | undefined): Row {
  return group === undefined ? ALL_USERS : { group_id: group.id, name: groupName(world, group) };
}

export function departmentGroup(department: number): Group {
  return at(GROUPS, department);
}

function groupName(world: World, group: Group): string {
  return world.overrides.groupNames.get(group.id) ?? group.name;
}
