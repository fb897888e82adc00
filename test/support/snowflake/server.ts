import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { Engine } from "./engine.js";
import { SnowflakeFault } from "./fault.js";
import { Faults, type Rule, type Trouble } from "./faults.js";
import { authenticated, type User } from "./login.js";
import type { Session } from "./session.js";
import { answered, bodyOf, done, failed, type Asked } from "./wire.js";

/** A server that speaks as Snowflake does to the driver. */
export interface Standin extends AsyncDisposable {
  readonly url: string;
  readonly engine: Engine;
  /** Statements that were run, in order. */
  readonly statements: readonly {
    readonly sql: string;
    readonly tag: string;
    readonly session: number;
  }[];
  /** Requests that came, repeats too. */
  readonly requests: readonly string[];
  /** Sessions that are open. */
  readonly sessions: number;
  fault(rule: Rule): void;
  heal(): void;
  forget(): void;
}

/** Who may log in, and what is there. */
export interface StandinOptions {
  readonly users: readonly User[];
  readonly account?: string;
  readonly warehouses?: readonly string[];
  readonly database?: string;
}

/** Starts one on a free port of this machine. */
export async function startStandin(options: StandinOptions): Promise<Standin> {
  const folder = await mkdtemp(join(tmpdir(), "snowflake-"));
  const { warehouses } = options;
  const engine = await Engine.start({
    folder,
    ...(warehouses === undefined ? {} : { warehouses }),
  });
  engine.catalog.databases.add(options.database ?? "KB4");
  const faults = new Faults();
  const desk = new Desk(engine, options, faults, folder);
  const server = createServer((request, response) => {
    void desk.handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    engine,
    statements: desk.statements,
    requests: desk.requests,
    get sessions() {
      return desk.sessions.size;
    },
    fault: (rule) => faults.add(rule),
    heal: () => faults.clear(),
    forget: () => {
      desk.statements.length = 0;
      desk.requests.length = 0;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      for (const session of desk.sessions.values()) await engine.logout(session);
      engine.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Answers requests. */
class Desk {
  readonly statements: { sql: string; tag: string; session: number }[] = [];
  readonly requests: string[] = [];
  readonly sessions = new Map<string, Session>();
  readonly #engine: Engine;
  readonly #options: StandinOptions;
  readonly #faults: Faults;
  readonly #folder: string;
  /** By request: a repeated one joins the first, finished or not. */
  readonly #runs = new Map<string, Promise<object>>();
  readonly #turns = new Map<Session, Promise<unknown>>();
  readonly #endless = new Map<string, "running" | "cancelled">();
  #open = 0;

  constructor(engine: Engine, options: StandinOptions, faults: Faults, folder: string) {
    this.#engine = engine;
    this.#options = options;
    this.#faults = faults;
    this.#folder = folder;
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const asked = await bodyOf(request);
    const said = `${url.pathname} ${asked.sqlText ?? ""}`;
    this.requests.push(said);
    const trouble = this.#faults.of(said);
    if (trouble?.kind === "reset-before") return void request.socket.resetAndDestroy();
    if (trouble?.kind === "hang") return;
    if (trouble?.kind === "http") {
      response.statusCode = trouble.status;
      return void response.end("no");
    }
    const answer =
      trouble?.kind === "error"
        ? failed(trouble)
        : await this.#answer(url, request, asked, trouble);
    if (trouble?.kind === "hang-after") return;
    if (trouble?.kind === "reset-after") return void request.socket.resetAndDestroy();
    const text = JSON.stringify(answer);
    response.setHeader("content-type", "application/json");
    if (trouble?.kind !== "cut") return void response.end(text);
    response.setHeader("content-length", String(Buffer.byteLength(text)));
    response.write(text.slice(0, text.length / 2), () => request.socket.resetAndDestroy());
  }

  async #answer(
    url: URL,
    request: IncomingMessage,
    asked: Asked,
    trouble: Trouble | undefined,
  ): Promise<object> {
    try {
      if (url.pathname === "/session/v1/login-request") return await this.#login(url, asked);
      if (url.pathname === "/telemetry/send") return done(null);
      const token = /Token="(.+?)"/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      if (url.pathname === "/session/token-request") return this.#renewed(token);
      const session = this.sessions.get(token);
      if (session === undefined) {
        return failed({
          code: "390111",
          sqlState: "08001",
          message: "Session no longer exists.  New login required to access the service.",
        });
      }
      return await this.#within(session, token, url, asked, trouble);
    } catch (error) {
      if (error instanceof SnowflakeFault) return failed(error);
      throw error;
    }
  }

  async #within(
    session: Session,
    token: string,
    url: URL,
    asked: Asked,
    trouble: Trouble | undefined,
  ): Promise<object> {
    const polled = /^\/queries\/(.+)\/result$/.exec(url.pathname)?.[1];
    if (polled !== undefined) return this.#poll(polled);
    if (url.pathname.endsWith("/abort-request")) {
      const id = /^\/queries\/(.+)\/abort-request$/.exec(url.pathname)?.[1] ?? asked.requestId;
      if (id !== undefined) this.#endless.set(id, "cancelled");
      return done(null);
    }
    if (url.pathname === "/session" && url.searchParams.get("delete") === "true") {
      this.sessions.delete(token);
      await this.#engine.logout(session);
      return done(null);
    }
    if (url.pathname !== "/queries/v1/query-request") return done(null);
    const id = url.searchParams.get("requestId") ?? randomUUID();
    const first = this.#runs.get(id);
    if (first !== undefined) return first;
    const run = this.#inTurn(session, () => this.#query(session, asked, trouble));
    this.#runs.set(id, run);
    return run;
  }

  /** One statement of a session after the other. */
  #inTurn<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(session) ?? Promise.resolve()).then(work);
    this.#turns.set(
      session,
      turn.catch(() => undefined),
    );
    return turn;
  }

  async #query(session: Session, asked: Asked, trouble: Trouble | undefined): Promise<object> {
    const { sqlText: sql = "", parameters = {} } = asked;
    this.statements.push({ sql, tag: parameters["QUERY_TAG"] ?? "", session: session.id });
    if (trouble?.kind === "endless") return this.#running(randomUUID());
    try {
      const answer = await this.#engine.execute(session, sql);
      return answered(answer, trouble?.kind === "no-upload" ? await this.#nowhere() : undefined);
    } catch (error) {
      if (error instanceof SnowflakeFault) return failed(error);
      throw error;
    }
  }

  /** Below a file nothing can be made. */
  async #nowhere(): Promise<string> {
    const file = join(this.#folder, "file");
    await writeFile(file, "");
    return join(file, "below");
  }

  #running(id: string): object {
    if (!this.#endless.has(id)) this.#endless.set(id, "running");
    return {
      success: true,
      code: "333333",
      message: null,
      data: { queryId: id, getResultUrl: `/queries/${id}/result` },
    };
  }

  async #poll(id: string): Promise<object> {
    if (this.#endless.get(id) === "cancelled") {
      return failed({ code: "000604", sqlState: "57014", message: "SQL execution canceled" });
    }
    // Snowflake answers after 45 seconds that it is still busy.
    await pause(20);
    return this.#running(id);
  }

  async #login(url: URL, { data = {} }: Asked): Promise<object> {
    const user = authenticated(this.#options.users, this.#options.account ?? "test", data);
    const of = (name: string): string | null => {
      const value = url.searchParams.get(name);
      if (value === null) return null;
      const exact = /^"(.+)"$/.exec(value)?.[1];
      return exact ?? value.toUpperCase();
    };
    const role = of("roleName") ?? user.roles[0] ?? "PUBLIC";
    if (!user.roles.includes(role)) {
      throw new SnowflakeFault(
        "390189",
        "08001",
        `Role '${role}' specified in the connect string is not granted to this user. Contact your local system administrator, or attempt to login with a default role (or another role).`,
      );
    }
    const session = await this.#engine.login({
      user: user.name,
      role,
      warehouse: of("warehouse"),
      database: of("databaseName"),
      schema: of("schemaName"),
    });
    const token = this.#token();
    this.sessions.set(token, session);
    return done({
      token,
      masterToken: `master-${token}`,
      validityInSeconds: 3600,
      masterValidityInSeconds: 14_400,
      sessionId: session.id,
      parameters: [],
      sessionInfo: {
        databaseName: session.database,
        schemaName: session.schema,
        warehouseName: session.warehouse,
        roleName: role,
      },
    });
  }

  #renewed(master: string): object {
    const token = master.replace(/^master-/, "");
    const session = this.sessions.get(token);
    if (session === undefined) {
      return failed({
        code: "390114",
        sqlState: "08001",
        message: "Authentication token has expired.  The user must authenticate again.",
      });
    }
    const fresh = this.#token();
    this.sessions.delete(token);
    this.sessions.set(fresh, session);
    return done({
      sessionToken: fresh,
      masterToken: `master-${fresh}`,
      validityInSecondsST: 3600,
      validityInSecondsMT: 14_400,
      sessionId: session.id,
    });
  }

  #token(): string {
    this.#open += 1;
    return `token-${String(this.#open)}`;
  }
}
