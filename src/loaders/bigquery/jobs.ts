import type { BigQuery, Job } from "@google-cloud/bigquery";

import type { Clock } from "../../core/clock.js";
import { ConnectorError } from "../../core/errors.js";
import { failure, faultOf, isPassing, isUnanswered, type Place } from "./failure.js";

/** How jobs are sent and waited for. */
export interface JobSettings {
  readonly client: BigQuery;
  readonly place: Place;
  readonly clock: Clock;
  /** Most that one job may take, in milliseconds. */
  readonly patienceMs: number;
}

/** A job to be done once, however often its answers are lost. */
export interface Task {
  /** What is being done, for messages. Names no value. */
  readonly purpose: string;
  /** The same for the same work: what an earlier try or run has sent is found again by it. */
  readonly id: string;
  /** Sends it under this id. */
  send(jobId: string): Promise<Job>;
  /** What an earlier run's job has left may be gone: it is done again, and doing it again leaves the same. */
  readonly isRepeated?: boolean;
}

/** Times a job is sent under new ids. */
const ATTEMPTS = 8;
/** Times one id is sent, where the request was refused or its answer was lost. */
const SENDS = 6;
const PAUSE_MS = 500;
/** Longest pause between two looks at a job. */
const LOOK_MS = 5_000;
const LONGEST_PAUSE_MS = 30_000;

type Metadata = Readonly<{
  status?: { state?: string; errorResult?: unknown; errors?: readonly unknown[] };
  statistics?: { load?: { outputRows?: string }; query?: { numDmlAffectedRows?: string } };
}>;

/** A job that has ended well. */
export interface Done {
  readonly job: Job;
  readonly metadata: Metadata;
}

/**
 * Does a job and waits for its end.
 *
 * An id stands for one try: BigQuery refuses to take it twice, so that a request whose answer was
 * lost can be sent again, or its job be found. A job that failed has burnt its id; the next try has
 * the next one.
 *
 * @throws ConnectorError `destination`, `locked`.
 */
export async function doJob(settings: JobSettings, task: Task): Promise<Done> {
  const { place, clock, client } = settings;
  const at = client.location === undefined ? {} : { location: client.location };
  let tries = 0;
  let stuck = 0;
  let isFound = false;
  for (let number = 1; ; number += 1) {
    const id = `${task.id}_a${String(number)}`;
    const job = client.job(id, at);
    // Those after one of an earlier run may be an earlier run's too, and a request may carry many rows.
    isFound = (isFound && (await isKnown(job))) || (await isTaken(settings, task, id, job));
    const metadata = await ended(settings, job);
    const fault = metadata?.status?.errorResult;
    if (metadata === undefined) {
      stuck += 1;
      if (stuck > 1) throw endless(settings, task);
    } else if (fault == null) {
      if (!isFound || task.isRepeated !== true) return { job, metadata };
    } else if (!isFound && !isPassing(faultOf(fault))) {
      throw failure(place, task.purpose, fault);
    }
    // What an earlier run's job had failed of may have been repaired since: no need to wait, and none of our tries.
    if (isFound) continue;
    tries += 1;
    if (tries === ATTEMPTS) throw failure(place, task.purpose, fault);
    await clock.sleep(pauseMs(tries));
  }
}

/** Sends a job. @returns whether its id was taken: by an earlier run's job. */
async function isTaken(
  { place, clock }: JobSettings,
  task: Task,
  id: string,
  job: Job,
): Promise<boolean> {
  for (let send = 1; ; send += 1) {
    let fault: unknown;
    try {
      await task.send(id);
      return false;
    } catch (error) {
      fault = error;
    }
    const told = faultOf(fault);
    const isDuplicate = told.status === 409 || told.reason === "duplicate";
    const isWorthwhile = isUnanswered(told) || isPassing(told);
    // A job may fail so fast that the answer to its request tells it: its id is burnt all the same.
    const isFailed = told.status === undefined && told.reason !== "";
    if ((isDuplicate || isWorthwhile || isFailed) && (await isKnown(job))) {
      return isDuplicate && send === 1;
    }
    if (!isWorthwhile || send === SENDS) throw failure(place, task.purpose, fault);
    await clock.sleep(pauseMs(send));
  }
}

async function isKnown(job: Job): Promise<boolean> {
  try {
    await job.getMetadata();
    return true;
  } catch {
    return false;
  }
}

/** What became of a job; undefined if it has not ended in time. */
async function ended(settings: JobSettings, job: Job): Promise<Metadata | undefined> {
  const { place, clock, patienceMs } = settings;
  let misses = 0;
  for (let waitedMs = 0, look = 1; ; look += 1) {
    try {
      const answer: readonly unknown[] = await job.getMetadata();
      const metadata = answer[0] as Metadata;
      if (metadata.status?.state === "DONE") return metadata;
      misses = 0;
    } catch (error) {
      const told = faultOf(error);
      misses += 1;
      if (misses === SENDS || !(isUnanswered(told) || isPassing(told))) {
        throw failure(place, "waiting for a job", error);
      }
    }
    if (waitedMs >= patienceMs) {
      // It may end yet. Whatever it does, the fence lets only one commit through.
      await job.cancel().catch(() => undefined);
      return undefined;
    }
    const pause = Math.min(LOOK_MS, 50 * 2 ** look);
    await clock.sleep(pause);
    waitedMs += pause;
  }
}

function endless({ place, patienceMs }: JobSettings, { purpose }: Task): ConnectorError {
  return new ConnectorError(
    "destination",
    `destination ${place.project}.${place.dataset}: ${purpose} has not ended in ${String(Math.round(patienceMs / 1000))} s`,
    { hint: "look at the project's jobs; rows that were read wait in the spool" },
  );
}

function pauseMs(times: number): number {
  return Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** times);
}
