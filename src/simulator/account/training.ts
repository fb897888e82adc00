import { DEPARTMENTS, LOCATIONS } from "../data/company.js";
import {
  ANNUAL,
  MODULES,
  POLICIES,
  SPECIAL,
  type Audience,
  type Curriculum,
} from "../data/content.js";
import { ALL_USERS, GROUPS, groupRef } from "./groups.js";
import type { Json, Row } from "./json.js";
import { isClicker, type Person } from "./population.js";
import { at } from "./random.js";
import { DAY_MS, HOUR_MS, instantOf, startOfDay } from "./time.js";
import { isActive, nowOf, type World } from "./world.js";

/** One training campaign, as it stands now. */
export interface TrainingCampaign {
  /** Position, oldest first. */
  readonly c: number;
  readonly id: number;
  readonly name: string;
  readonly audience: Audience;
  readonly modules: readonly number[];
  readonly policies: readonly number[];
  readonly startsAt: number;
  readonly endsAt: number;
  /** When it was to end when it was set up: what people go by. */
  readonly plannedEndsAt: number;
}

/** People who join one of the groups later are enrolled, and have so many days. */
export const RELATIVE_DAYS = 14;

const FIRST_CAMPAIGN_ID = 45_203;
const ANNUAL_EVERY = 4;
/** Days between the beginnings of two campaigns. */
const APART_DAYS = 40;

/** How many of the campaigns of day 0 are open then: about a third. */
function openAtStart(world: World): number {
  return world.trainingCampaigns === 0 ? 0 : Math.max(1, Math.round(world.trainingCampaigns / 3));
}

/** Campaigns that have begun, oldest first. */
export function trainingCampaignsOf(world: World): readonly TrainingCampaign[] {
  const now = nowOf(world);
  const campaigns: TrainingCampaign[] = [];
  if (world.trainingCampaigns === 0) return campaigns;
  for (let c = 0; ; c++) {
    const campaign = campaignAt(world, c);
    if (campaign.startsAt > now) return campaigns;
    campaigns.push(campaign);
  }
}

export function isCampaignOpen(world: World, campaign: TrainingCampaign): boolean {
  return campaign.endsAt > nowOf(world);
}

/** Whether the campaign is for this person: fixed by when it started, or when they joined. */
export function isEnrolled(world: World, campaign: TrainingCampaign, person: Person): boolean {
  const { audience, startsAt, plannedEndsAt } = campaign;
  if (audience.kind === "joiners") {
    const from = startsAt - 30 * DAY_MS;
    return person.joinedAt >= from && person.joinedAt <= Math.min(nowOf(world), plannedEndsAt);
  }
  if (!isActive(world, person, startsAt)) return false;
  switch (audience.kind) {
    case "everybody":
      return true;
    case "department":
      return at(DEPARTMENTS, person.department).name === audience.name;
    case "location":
      return at(LOCATIONS, person.location).name === audience.name;
    case "managers":
      return person.rank !== "staff";
    case "clickers":
      return isClicker(person);
  }
}

/** One row of `/v1/training/campaigns`, without the percentage. */
export function trainingCampaignRow(world: World, campaign: TrainingCampaign): Row {
  const { c, audience, startsAt, endsAt } = campaign;
  const isRelative = audience.kind === "joiners";
  return {
    campaign_id: campaign.id,
    name: campaign.name,
    groups: [audienceGroup(world, audience)],
    status: isCampaignOpen(world, campaign) ? "In Progress" : c % 5 === 2 ? "Closed" : "Completed",
    ...contentField(campaign),
    duration_type: isRelative ? "Relative Duration" : "Specific End Date",
    start_date: instantOf(startsAt),
    end_date: instantOf(endsAt),
    relative_duration: isRelative ? `${RELATIVE_DAYS / 7} weeks` : null,
    auto_enroll: isRelative,
    allow_multiple_enrollments: c % 6 === 1,
  };
}

/** One row of `/v1/training/store_purchases`. */
export function purchaseRow(position: number): Row {
  const { minutes, retired, ...content } = at(MODULES, position);
  const published = startOfDay("2021-02-10") + position * 97 * DAY_MS + 14 * HOUR_MS;
  return {
    store_purchase_id: purchaseId(position),
    content_type: "Store Purchase",
    name: content.name,
    description: content.description,
    type: content.type,
    duration: minutes,
    retired,
    retirement_date: retired ? "2025-01-31T00:00:00.000Z" : null,
    publish_date: instantOf(published),
    publisher: content.publisher,
    purchase_date: instantOf(published + 20 * DAY_MS),
    policy_url: null,
  };
}

export function purchaseId(position: number): number {
  return 6_420 + position * 7;
}

export function policyId(position: number): number {
  return 2_420 + position * 3;
}

/** One row of `/v1/training/policies`. */
export function policyRow(position: number): Row {
  const { status, ...rest } = policyContent(position);
  return { ...rest, status };
}

function policyContent(position: number) {
  const { name, minutes, language, status } = at(POLICIES, position);
  return {
    policy_id: policyId(position),
    content_type: "Uploaded Policy",
    name,
    minimum_time: minutes,
    default_language: language,
    status,
  };
}

/** Content is flat, or nested once more, and sometimes not there. */
function contentField({ c, modules, policies }: TrainingCampaign): Row {
  if (c % 7 === 5) return {};
  const content: Json[] = [
    ...modules.map(purchaseRow),
    ...policies.map((position) => {
      const { status, ...rest } = policyContent(position);
      return { ...rest, published: status !== 0 };
    }),
  ];
  return { content: c % 3 === 1 ? [content] : content };
}

function audienceGroup(world: World, audience: Audience): Row {
  if (audience.kind === "everybody") return ALL_USERS;
  const name =
    audience.kind === "department"
      ? audience.name
      : audience.kind === "location"
        ? `Site ${audience.name}`
        : {
            managers: "People Managers",
            clickers: "Repeat Clickers",
            joiners: "New Hires (90 days)",
          }[audience.kind];
  return groupRef(
    world,
    GROUPS.find((group) => group.name === name),
  );
}

function campaignAt(world: World, c: number): TrainingCampaign {
  const { startsAt, endsAt } = scheduleOf(world, c);
  const curriculum = curriculumOf(world, c);
  const edit = world.overrides.campaignEdits.get(c);
  return {
    c,
    id: FIRST_CAMPAIGN_ID + c * 67,
    name: edit?.name ?? `${curriculum.name} ${label(startsAt)}`,
    audience: curriculum.audience,
    modules: curriculum.modules,
    policies: curriculum.policies,
    startsAt,
    endsAt: edit?.endsAt ?? endsAt,
    plannedEndsAt: endsAt,
  };
}

/** Everybody's training comes round every fourth time, but none is open on day 0. */
function curriculumOf(world: World, c: number): Curriculum {
  const closed = world.trainingCampaigns - openAtStart(world);
  const isOpenAtStart = c >= closed && c < world.trainingCampaigns;
  if (!isOpenAtStart && c % ANNUAL_EVERY === 0) return at(ANNUAL, c / ANNUAL_EVERY);
  return at(SPECIAL, isOpenAtStart ? c - closed : c);
}

function scheduleOf(
  world: World,
  c: number,
): { readonly startsAt: number; readonly endsAt: number } {
  const open = openAtStart(world);
  const closed = world.trainingCampaigns - open;
  const days =
    c < closed
      ? [-60 - (closed - c) * APART_DAYS, 45]
      : c < world.trainingCampaigns
        ? openDays(c - closed, open)
        : [(c - world.trainingCampaigns + 1) * APART_DAYS - 27, 50];
  const [start = 0, length = 0] = days;
  const startsAt = world.dayZero + start * DAY_MS + 7 * HOUR_MS;
  return { startsAt, endsAt: startsAt + length * DAY_MS };
}

/** Of those open on day 0, the oldest end first. */
function openDays(j: number, open: number): readonly [start: number, length: number] {
  const start = -75 + Math.floor((j * 70) / open);
  return [start, 5 + j * 11 - start];
}

function label(ms: number): string {
  const date = new Date(ms);
  return `Q${Math.floor(date.getUTCMonth() / 3) + 1} ${date.getUTCFullYear()}`;
}
