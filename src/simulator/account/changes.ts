import {
  enrollmentAt,
  enrollmentById,
  slotsOf,
  statusOf,
  type Enrollment,
  type EnrollmentStatus,
} from "./enrollments.js";
import { groupById, groupIdsOf, GROUPS, isMember, type Group } from "./groups.js";
import { personById, type Person } from "./population.js";
import { at, below, DRAW, mix } from "./random.js";
import { eventsOf, recipientId, recipientsOf } from "./recipients.js";
import { hasFailed, type Events } from "./tally.js";
import { isOpen, testsOf, type PhishingTest } from "./tests.js";
import { DAY_MS, instantOf } from "./time.js";
import { isCampaignOpen, trainingCampaignsOf } from "./training.js";
import { isActive, isErased, leavesAt, nowOf, type World } from "./world.js";

/** What can be changed on top of the natural course. */
export const CHANGE_KINDS = [
  "clickInOpenTest",
  "removeFailure",
  "resetEnrollment",
  "deleteEnrollment",
  "passEnrollment",
  "archiveUser",
  "eraseUser",
  "moveUser",
  "renameGroup",
  "editTrainingCampaign",
] as const;

export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Whom or what a change is for; whatever is left out is chosen, always the same for the same account. */
export interface ChangeTarget {
  readonly pst_id?: number;
  readonly user_id?: number;
  readonly enrollment_id?: number;
  readonly group_id?: number;
  readonly campaign_id?: number;
}

/** What was changed: the kind and the ids that it concerns. */
export interface Change extends ChangeTarget {
  readonly kind: ChangeKind;
  readonly recipient_id?: number;
  /** Group that a moved person left. */
  readonly from_group_id?: number;
  /** New name of a group or campaign. */
  readonly name?: string;
}

type Apply = (world: World, target: ChangeTarget) => Change | undefined;

const CHANGES: Readonly<Record<ChangeKind, Apply>> = {
  clickInOpenTest: (world, target) => {
    const isClickable = (e: Events, person: Person): boolean =>
      e.delivered !== null && !hasFailed(e) && isActive(world, person, nowOf(world));
    const found = findRecipient(world, target, (test) => isOpen(test, nowOf(world)), isClickable);
    if (found === undefined) return undefined;
    const { test, person, recipient_id } = found;
    world.overrides.clicks.set(recipient_id, nowOf(world));
    return { kind: "clickInOpenTest", pst_id: test.id, user_id: person.id, recipient_id };
  },
  removeFailure: (world, target) => {
    const isClosed = (test: PhishingTest): boolean => !test.isError && !isOpen(test, nowOf(world));
    const found = findRecipient(world, target, isClosed, hasFailed);
    if (found === undefined) return undefined;
    const { test, person, recipient_id } = found;
    const cleared = world.overrides.cleared.get(test.k) ?? new Set();
    world.overrides.cleared.set(test.k, cleared.add(recipient_id));
    return { kind: "removeFailure", pst_id: test.id, user_id: person.id, recipient_id };
  },
  resetEnrollment: (world, target) => {
    const found = findEnrollment(world, target, ["Passed", "In Progress"]);
    if (found === undefined) return undefined;
    const { resets, passes } = world.overrides;
    resets.set(found.id, { at: nowOf(world), times: (resets.get(found.id)?.times ?? 0) + 1 });
    passes.delete(found.id);
    return enrollmentChange("resetEnrollment", found);
  },
  deleteEnrollment: (world, target) => {
    const found = findEnrollment(world, target, [
      "Not Started",
      "In Progress",
      "Passed",
      "Past Due",
    ]);
    if (found === undefined) return undefined;
    world.overrides.deletedEnrollments.add(found.id);
    return enrollmentChange("deleteEnrollment", found);
  },
  passEnrollment: (world, target) => {
    const found = findEnrollment(world, target, ["Not Started", "In Progress", "Past Due"]);
    if (found === undefined) return undefined;
    world.overrides.passes.set(found.id, nowOf(world));
    return enrollmentChange("passEnrollment", found);
  },
  archiveUser: (world, target) => {
    const person = findPerson(world, target, () => true);
    if (person === undefined) return undefined;
    world.overrides.archivedAt.set(person.index, nowOf(world));
    return { kind: "archiveUser", user_id: person.id };
  },
  eraseUser: (world, target) => {
    const person = findPerson(world, target, () => true);
    if (person === undefined) return undefined;
    world.overrides.archivedAt.set(person.index, nowOf(world));
    world.overrides.erased.add(person.index);
    return { kind: "eraseUser", user_id: person.id };
  },
  moveUser: (world, target) => {
    const isFree = ({ type, status }: Group): boolean =>
      type === "console_group" && status === "active";
    const person = findPerson(world, target, (p) => groupIdsOf(world, p).length > 0);
    if (person === undefined) return undefined;
    const from = GROUPS.find((group) => isFree(group) && isMember(world, group, person));
    const others = GROUPS.filter((group) => isFree(group) && !isMember(world, group, person));
    const to =
      target.group_id === undefined
        ? others[draw(world, 2) % others.length]
        : groupById(target.group_id);
    if (from === undefined || to === undefined) return undefined;
    const moves = world.overrides.moves.get(person.index) ?? new Map<number, boolean>();
    world.overrides.moves.set(person.index, moves.set(from.id, false).set(to.id, true));
    return { kind: "moveUser", user_id: person.id, group_id: to.id, from_group_id: from.id };
  },
  renameGroup: (world, target) => {
    const id = target.group_id ?? at(GROUPS, draw(world, 3)).id;
    const group = groupById(id);
    if (group === undefined) return undefined;
    const name = `${group.name} (since ${instantOf(nowOf(world)).slice(0, 10)})`;
    world.overrides.groupNames.set(id, name);
    return { kind: "renameGroup", group_id: id, name };
  },
  editTrainingCampaign: (world, target) => {
    const campaign = trainingCampaignsOf(world).find((c) =>
      target.campaign_id === undefined ? isCampaignOpen(world, c) : c.id === target.campaign_id,
    );
    if (campaign === undefined) return undefined;
    const name = `${campaign.name.replace(/ \(extended\)$/, "")} (extended)`;
    const endsAt = campaign.endsAt + 14 * DAY_MS;
    world.overrides.campaignEdits.set(campaign.c, { name, endsAt });
    return { kind: "editTrainingCampaign", campaign_id: campaign.id, name };
  },
};

/** Makes one change; undefined if there is nobody or nothing that it could be made to. */
export function applyChange(
  world: World,
  kind: ChangeKind,
  target: ChangeTarget = {},
): Change | undefined {
  const change = CHANGES[kind](world, target);
  if (change !== undefined) world.version++;
  return change;
}

/** Lets one day pass, with what administrators do on such a day. */
export function passDay(world: World): void {
  world.day++;
  world.version++;
  world.population.extendTo(nowOf(world));
  if (world.day % 4 === 2) applyChange(world, "removeFailure");
  if (world.day % 5 === 3) applyChange(world, "resetEnrollment");
  if (world.day % 6 === 4) applyChange(world, "deleteEnrollment");
  if (world.day % 9 === 5) applyChange(world, "moveUser");
}

interface FoundRecipient {
  readonly test: PhishingTest;
  readonly person: Person;
  readonly recipient_id: number;
}

function findRecipient(
  world: World,
  { pst_id, user_id }: ChangeTarget,
  isWanted: (test: PhishingTest) => boolean,
  isVictim: (events: Events, person: Person) => boolean,
): FoundRecipient | undefined {
  const { people } = world.population;
  const tests = testsOf(world).filter(
    (t) => isWanted(t) && (pst_id === undefined || t.id === pst_id),
  );
  for (const test of tests.toReversed()) {
    for (const index of rotated(recipientsOf(world, test), draw(world, 0))) {
      const person = at(people, index);
      if (isErased(world, person) || (user_id !== undefined && person.id !== user_id)) continue;
      if (!isVictim(eventsOf(world, test, person), person)) continue;
      return { test, person, recipient_id: recipientId(test, index) };
    }
  }
  return undefined;
}

function findEnrollment(
  world: World,
  { enrollment_id, campaign_id, user_id }: ChangeTarget,
  statuses: readonly EnrollmentStatus[],
): Enrollment | undefined {
  if (enrollment_id !== undefined) {
    const found = enrollmentById(world, enrollment_id);
    return found && statuses.includes(statusOf(world, found)) ? found : undefined;
  }
  const campaigns = trainingCampaignsOf(world).filter((campaign) =>
    campaign_id === undefined ? isCampaignOpen(world, campaign) : campaign.id === campaign_id,
  );
  for (const campaign of campaigns) {
    for (const slot of rotated(slotsOf(world, campaign), draw(world, 1))) {
      const found = enrollmentAt(world, campaign, slot);
      if (isErased(world, found.person) || (user_id !== undefined && found.person.id !== user_id))
        continue;
      if (statuses.includes(statusOf(world, found))) return found;
    }
  }
  return undefined;
}

function findPerson(
  world: World,
  { user_id }: ChangeTarget,
  isVictim: (person: Person) => boolean,
): Person | undefined {
  const now = nowOf(world);
  const { people } = world.population;
  if (user_id !== undefined) {
    const person = personById(world.population, user_id);
    return person !== undefined && isActive(world, person, now) ? person : undefined;
  }
  const order = Int32Array.from(people.keys());
  for (const index of rotated(order, draw(world, 4))) {
    const person = at(people, index);
    // Heads stay: their department's people would all change their manager with them.
    const canGo = person.rank === "staff" || people.length < 30;
    if (canGo && person.joinedAt <= now && leavesAt(world, person) > now && isVictim(person))
      return person;
  }
  return undefined;
}

function enrollmentChange(kind: ChangeKind, { id, campaign, person }: Enrollment): Change {
  return { kind, enrollment_id: id, campaign_id: campaign.id, user_id: person.id };
}

/** A number that is another one after every change. */
function draw(world: World, n: number): number {
  return below(2 ** 31, mix(world.seed, DRAW.victim, world.version), n);
}

function* rotated(list: Int32Array, from: number): Generator<number> {
  for (let i = 0; i < list.length; i++) yield list[(from + i) % list.length] ?? 0;
}
