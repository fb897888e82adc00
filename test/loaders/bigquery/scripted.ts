import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

/** What becomes of a job: nothing, or the error that it ends with. */
export type Fate = { readonly reason: string; readonly message: string } | "well" | "never";

/** A server that knows jobs and nothing else: an id is taken once, what was taken can be asked for. */
export interface ScriptedJobs {
  readonly url: string;
  /** Ids of jobs, as they were taken. */
  readonly ids: readonly string[];
  readonly cancelled: readonly string[];
}

/** Jobs end as told, in the order in which they come; all others end well. */
export async function scriptedJobs(...fates: readonly Fate[]): Promise<ScriptedJobs> {
  const jobs = new Map<string, Fate>();
  const cancelled: string[] = [];
  const resource = (id: string) => {
    const fate = jobs.get(id) ?? "well";
    const errorResult = typeof fate === "object" ? { errorResult: fate, errors: [fate] } : {};
    return {
      jobReference: { projectId: "test-project", jobId: id, location: "EU" },
      status: fate === "never" ? { state: "RUNNING" } : { state: "DONE", ...errorResult },
      statistics: {},
    };
  };
  const server = createServer((incoming, response) => {
    let body = "";
    incoming.on("data", (part: Buffer) => (body += part.toString()));
    incoming.on("end", () => {
      const say = (code: number, answer: object) => {
        response.writeHead(code, { "content-type": "application/json" });
        response.end(JSON.stringify(answer));
      };
      const refuse = (code: number, reason: string) =>
        say(code, { error: { code, message: reason, errors: [{ reason, message: reason }] } });
      const path = (incoming.url ?? "").split("?")[0] ?? "";
      const asked = /\/jobs\/([\w-]+)(\/cancel)?$/.exec(path);
      if (asked?.[2] !== undefined) {
        cancelled.push(asked[1]!);
        say(200, {});
      } else if (asked !== null) {
        if (jobs.has(asked[1]!)) say(200, resource(asked[1]!));
        else refuse(404, "notFound");
      } else {
        const { jobReference } = JSON.parse(body) as { jobReference: { jobId: string } };
        if (jobs.has(jobReference.jobId)) refuse(409, "duplicate");
        else {
          jobs.set(jobReference.jobId, fates[jobs.size] ?? "well");
          // An insert never tells of the end.
          say(200, { ...resource(jobReference.jobId), status: { state: "RUNNING" } });
        }
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    get ids() {
      return [...jobs.keys()];
    },
    cancelled,
  };
}
