import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Checkpoint, Reject, Scope } from "../core/record.js";
import { stringify } from "../core/json.js";
import { writeManifest, type Manifest, type Part, type Withheld } from "./manifest.js";
import { onDisk, SpoolFile } from "./spool.js";
import type { Mode, Table } from "./table.js";
import type { SpooledFile } from "./warehouse.js";

/** What a package is opened for. */
export interface PackageInfo {
  readonly loadId: string;
  readonly runId: string;
  readonly pipeline: string;
  readonly startedAt: string;
  readonly from: number;
}

/** One stream's share of an open package. */
interface Share {
  table: Table;
  mode: Mode;
  file: SpoolFile | undefined;
  rejected: number;
  proof: string | null;
  /** Checkpoints that the marked rows cover, oldest first. */
  covered: Checkpoint[];
  /** What the marked rows are all rows of. */
  scopes: Scope[];
  /** Checkpoints that wait for the end of the stream, because its table is swapped whole. */
  held: Checkpoint[];
  /** Whether there is anything to commit, if only an empty table. */
  isSafe: boolean;
}

/** A load that is being gathered: a folder with one file per stream. */
export class Package {
  readonly info: PackageInfo;
  readonly #folder: string;
  readonly #shares = new Map<string, Share>();
  readonly #loose: Checkpoint[] = [];
  #rejects: SpoolFile | undefined;
  #files = 0;

  private constructor(info: PackageInfo, folder: string) {
    this.info = info;
    this.#folder = folder;
  }

  /** @throws ConnectorError `destination` if the spool cannot be written. */
  static async create(spoolDir: string, info: PackageInfo): Promise<Package> {
    const folder = join(spoolDir, info.loadId);
    await onDisk(() => mkdir(folder, { mode: 0o700 }));
    return new Package(info, folder);
  }

  /** Bytes that a commit would bring now. */
  get safeBytes(): number {
    let bytes = this.#rejects?.safe.bytes ?? 0;
    for (const { file } of this.#shares.values()) bytes += file?.safe.bytes ?? 0;
    return bytes;
  }

  /** Whether a commit would bring anything. */
  get isWorthCommitting(): boolean {
    return (
      this.#loose.length > 0 ||
      this.#rejects !== undefined ||
      [...this.#shares.values()].some((share) => share.isSafe)
    );
  }

  /** The file that takes a stream's lines. */
  async fileOf(table: Table, mode: Mode): Promise<SpoolFile> {
    const share = this.#shareOf(table, mode);
    share.file ??= await this.#newFile();
    return share.file;
  }

  async reject(table: Table, mode: Mode, rejects: readonly Reject[], at: string): Promise<void> {
    const share = this.#shareOf(table, mode);
    this.#rejects ??= await this.#newFile();
    for (const { reason, raw } of rejects) {
      share.rejected += 1;
      this.#rejects.add(stringify({ stream: table.name, reason, raw, seen_at: at }));
    }
    await this.#rejects.mark();
  }

  /**
   * What was added for a stream may be committed under this checkpoint.
   *
   * @param scopes what the rows since the checkpoint before are all rows of.
   */
  async checkpoint(
    table: Table,
    mode: Mode,
    checkpoint: Checkpoint,
    scopes: readonly Scope[] = [],
  ): Promise<void> {
    const share = this.#shareOf(table, mode);
    if (mode === "replace") {
      share.held.push(checkpoint);
      return;
    }
    await share.file?.mark();
    share.covered.push(checkpoint);
    share.scopes.push(...scopes);
    share.isSafe = true;
  }

  /** A checkpoint of what is no table. */
  note(checkpoint: Checkpoint): void {
    this.#loose.push(checkpoint);
  }

  /** The stream was read to its end. @param proof of that, as JSON text. */
  async complete(table: Table, mode: Mode, proof: string | null): Promise<void> {
    if (mode !== "replace" && proof === null) return;
    const share = this.#shareOf(table, mode);
    share.proof = proof;
    share.isSafe = true;
    if (mode !== "replace") return;
    await share.file?.mark();
    share.covered.push(...share.held.splice(0));
  }

  /** The stream broke off: what came after its last checkpoint is not to be kept. */
  async breakOff(stream: string): Promise<void> {
    const share = this.#shares.get(stream);
    if (share === undefined) return;
    share.held = [];
    await share.file?.cut();
  }

  /**
   * Makes the package complete on the disk. Lines that are not safe yet go on in `next`.
   *
   * @param refused streams whose checkpoints it is not to hold.
   * @returns what to commit, and every checkpoint that the commit covers, oldest first.
   */
  async seal(
    next: Package,
    refused: Pick<ReadonlySet<string>, "has">,
  ): Promise<[manifest: Manifest, covered: readonly Checkpoint[]]> {
    const parts: Part[] = [];
    const withheld: Withheld[] = [];
    const covered = [...this.#loose];
    for (const share of this.#shares.values()) {
      const { table, mode, file } = share;
      if (file?.hasTail === true) await file.moveTail(await next.fileOf(table, mode));
      if (share.held.length > 0) next.#shareOf(table, mode).held.push(...share.held);
      const spooled = file === undefined ? null : await sealed(file);
      if (!share.isSafe) {
        if (share.rejected > 0) withheld.push({ stream: table.name, rejected: share.rejected });
        continue;
      }
      covered.push(...share.covered);
      const { rejected, proof, scopes } = share;
      const some = scopes.length > 0 ? { scopes } : {};
      parts.push({ table, mode, file: spooled, rejected, proof, ...some });
    }
    const kept = covered.filter(({ stream }) => !refused.has(stream));
    const latest = new Map(kept.map((checkpoint) => [checkpoint.stream, checkpoint]));
    const manifest: Manifest = {
      version: 1,
      ...this.info,
      parts,
      withheld,
      rejects: this.#rejects === undefined ? null : await sealed(this.#rejects),
      checkpoints: [...latest.values()],
    };
    await writeManifest(this.#folder, manifest);
    return [manifest, kept];
  }

  /** Closes the files and removes the folder: nothing of it was ever promised. */
  async discard(): Promise<void> {
    for (const { file } of this.#shares.values()) await file?.close();
    await this.#rejects?.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #shareOf(table: Table, mode: Mode): Share {
    let share = this.#shares.get(table.name);
    if (share === undefined) {
      share = {
        table,
        mode,
        file: undefined,
        rejected: 0,
        proof: null,
        covered: [],
        scopes: [],
        held: [],
        isSafe: false,
      };
      this.#shares.set(table.name, share);
    }
    share.table = table;
    return share;
  }

  /** Files have numbers: a name of somebody else's stream is not one for a file. */
  #newFile(): Promise<SpoolFile> {
    this.#files += 1;
    return SpoolFile.create(join(this.#folder, `${String(this.#files)}.ndjson`));
  }
}

async function sealed(file: SpoolFile): Promise<SpooledFile | null> {
  await file.seal();
  return file.safe.rows === 0
    ? null
    : { path: file.path, rows: file.safe.rows, longest: file.longest };
}
