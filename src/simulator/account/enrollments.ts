import { MODULES, POLICIES } from "../data/content.js";
import { round, type Row } from "./json.js";
import type { Person } from "./population.js";
import { at, below, DRAW, mix, unit, waiting } from "./random.js";
import { MINUTE_MS, DAY_MS, HOUR_MS, instantOf, instantOrNull } from "./time.js";
import {
  isEnrolled,
  purchaseId,
  RELATIVE_DAYS,
  trainingCampaignsOf,
  type TrainingCampaign,
} from "./training.js";
import { isErased, leavesAt, nowOf, type World } from "./world.js";
import { enrollmentEmployeeNumber } from "./users.js";

/** Which of the fields that are left out by default a request wants. */
export interface EnrollmentFields {
  readonly campaignId: boolean;
  readonly storePurchaseId: boolean;
  readonly employeeNumber: boolean;
}

/** One assignment: a person and one item of a campaign's content. */
export interface Enrollment {
  readonly id: number;
  readonly campaign: TrainingCampaign;
  readonly person: Person;
  /** Position among the campaign's modules and then its policies. */
  readonly item: number;
}

/** How far somebody is, in milliseconds. */
interface Progress {
  readonly enrolledAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly dueAt: number;
}

export const ALL_FIELDS: EnrollmentFields = {
  campaignId: true,
  storePurchaseId: true,
  employeeNumber: true,
};

const FIRST_ENROLLMENT_ID = 452_000_000;
/** Enrollment ids of one campaign: people's indexes times eight must fit. */
const IDS_PER_CAMPAIGN = 10_000_000;
const ITEMS = 8;
/** Whoever has not finished so long after the end never will. */
const GRACE_MS = 15 * DAY_MS;

/** Slots of a campaign, ascending: eight per person, of which a campaign uses the first few. */
export function slotsOf(world: World, campaign: TrainingCampaign): Int32Array {
  return world.memos.slots(campaign.c, String(world.version), () => {
    const items = campaign.modules.length + campaign.policies.length;
    const { deletedEnrollments } = world.overrides;
    const slots: number[] = [];
    for (const person of world.population.people) {
      if (!isEnrolled(world, campaign, person)) continue;
      for (let item = 0; item < items; item++) {
        const slot = person.index * ITEMS + item;
        if (!deletedEnrollments.has(enrollmentId(campaign, slot))) slots.push(slot);
      }
    }
    return Int32Array.from(slots);
  });
}

export function enrollmentId({ c }: TrainingCampaign, slot: number): number {
  return FIRST_ENROLLMENT_ID + c * IDS_PER_CAMPAIGN + slot;
}

export function enrollmentAt(world: World, campaign: TrainingCampaign, slot: number): Enrollment {
  const person = at(world.population.people, Math.floor(slot / ITEMS));
  return { id: enrollmentId(campaign, slot), campaign, person, item: slot % ITEMS };
}

export function enrollmentById(world: World, id: number): Enrollment | undefined {
  const c = Math.floor((id - FIRST_ENROLLMENT_ID) / IDS_PER_CAMPAIGN);
  const campaign = trainingCampaignsOf(world)[c];
  if (campaign === undefined) return undefined;
  const slot = id - enrollmentId(campaign, 0);
  return slotsOf(world, campaign).includes(slot) ? enrollmentAt(world, campaign, slot) : undefined;
}

/** Enrollments of one person, by id. */
export function enrollmentsOf(world: World, person: Person): readonly Enrollment[] {
  return trainingCampaignsOf(world).flatMap((campaign) => {
    if (!isEnrolled(world, campaign, person)) return [];
    const items = campaign.modules.length + campaign.policies.length;
    return Array.from({ length: items }, (_, item) =>
      enrollmentAt(world, campaign, person.index * ITEMS + item),
    ).filter(({ id }) => !world.overrides.deletedEnrollments.has(id));
  });
}

export function storePurchaseOf({ campaign, item }: Enrollment): number | null {
  const module = campaign.modules[item];
  return module === undefined ? null : purchaseId(module);
}

export type EnrollmentStatus = "Not Started" | "In Progress" | "Passed" | "Past Due";

export function statusOf(world: World, enrollment: Enrollment): EnrollmentStatus {
  return statusFrom(progressOf(world, enrollment), nowOf(world));
}

/** Percentage of a campaign's enrollments that are passed. */
export function completionOf(world: World, campaign: TrainingCampaign): number {
  return world.memos.completion(campaign.c, String(world.version), () => {
    const slots = slotsOf(world, campaign);
    let passed = 0;
    for (const slot of slots) {
      if (statusOf(world, enrollmentAt(world, campaign, slot)) === "Passed") passed++;
    }
    return slots.length === 0 ? 0 : round((passed / slots.length) * 100, 1);
  });
}

/** One row of `/v1/training/enrollments`. */
export function enrollmentRow(world: World, enrollment: Enrollment, fields: EnrollmentFields): Row {
  const { campaign, person, item } = enrollment;
  const progress = progressOf(world, enrollment);
  const status = statusFrom(progress, nowOf(world));
  const base = baseOf(world, enrollment);
  const module = campaign.modules[item];
  const isPolicy = module === undefined;
  const content = isPolicy
    ? at(POLICIES, campaign.policies[item - campaign.modules.length] ?? 0)
    : at(MODULES, module);
  const minutes = (content.minutes ?? 10) * (0.6 + unit(base, 10) * 0.9);
  const share = status === "Passed" ? 1 : progress.startedAt === null ? 0 : unit(base, 11) * 0.8;
  return {
    enrollment_id: enrollment.id,
    content_type: isPolicy ? "Uploaded Policy" : "Store Purchase",
    module_name: content.name,
    user: userOf(world, person, fields),
    campaign_name: campaign.name,
    ...(fields.campaignId ? { campaign_id: campaign.id } : {}),
    ...(fields.storePurchaseId ? { store_purchase_id: storePurchaseOf(enrollment) } : {}),
    enrollment_date: instantOf(progress.enrolledAt),
    start_date: instantOrNull(progress.startedAt),
    completion_date: instantOrNull(progress.completedAt),
    status,
    time_spent: Math.round(minutes * 60 * share),
    policy_acknowledged: isPolicy && status === "Passed",
    ...scoreField(campaign, isPolicy, status, base),
  };
}

/** Scores are there only where the campaign shows them. */
function scoreField(
  { c }: TrainingCampaign,
  isPolicy: boolean,
  status: EnrollmentStatus,
  base: number,
): Row {
  if (c % 3 !== 0 || isPolicy) return {};
  return { score: status === "Passed" ? 70 + below(31, base, 12) : null };
}

function userOf(world: World, person: Person, fields: EnrollmentFields): Row | null {
  if (isErased(world, person)) return null;
  const number = enrollmentEmployeeNumber(world, person);
  return {
    id: person.id,
    first_name: person.first,
    last_name: person.last,
    email: person.email,
    ...(fields.employeeNumber ? { employee_number: number } : {}),
  };
}

function statusFrom({ startedAt, completedAt, dueAt }: Progress, now: number): EnrollmentStatus {
  if (completedAt !== null) return "Passed";
  if (now > dueAt) return "Past Due";
  return startedAt === null ? "Not Started" : "In Progress";
}

function progressOf(world: World, enrollment: Enrollment): Progress {
  const { campaign, person } = enrollment;
  const now = nowOf(world);
  const base = baseOf(world, enrollment);
  const enrolledAt = Math.max(campaign.startsAt, person.joinedAt + HOUR_MS);
  const isRelative = campaign.audience.kind === "joiners";
  const reset = world.overrides.resets.get(enrollment.id);
  const from = reset?.at ?? enrolledAt;
  const dueAt = isRelative ? from + RELATIVE_DAYS * DAY_MS : campaign.endsAt;
  const planned = isRelative ? RELATIVE_DAYS * DAY_MS : campaign.plannedEndsAt - enrolledAt;
  const natural = courseOf(person, from, planned, base + (reset?.times ?? 0) * 64);
  const until = Math.min(now, campaign.endsAt + GRACE_MS, leavesAt(world, person));
  const hasStarted = natural.startedAt <= until;
  const hasCompleted = natural.completedAt !== null && natural.completedAt <= until;
  const passedAt = world.overrides.passes.get(enrollment.id);
  if (passedAt !== undefined && !hasCompleted) {
    return { enrolledAt, dueAt, startedAt: passedAt - HOUR_MS, completedAt: passedAt };
  }
  // Credit for having done it before it was assigned.
  const earlier = hasCompleted && reset === undefined && unit(base, 0) < 0.005 ? 400 * DAY_MS : 0;
  return {
    enrolledAt,
    dueAt,
    startedAt: hasStarted ? natural.startedAt - earlier : null,
    completedAt: hasCompleted ? natural.completedAt - earlier : null,
  };
}

/** When somebody gets round to it, and when they are done: some never. */
function courseOf(
  person: Person,
  from: number,
  planned: number,
  base: number,
): { readonly startedAt: number; readonly completedAt: number | null } {
  const waits = 6 * HOUR_MS + waiting(planned * 0.24 * person.late, base, 1);
  const works = 20 * MINUTE_MS + waiting(planned * 0.05 * person.late, base, 2);
  const startedAt = from + waits;
  const givesUp = unit(base, 3) < 0.025 * person.late;
  return { startedAt, completedAt: givesUp ? null : startedAt + works };
}

function baseOf(world: World, { campaign, person, item }: Enrollment): number {
  return mix(world.seed, DRAW.enrollment, campaign.c, person.index * ITEMS + item);
}
