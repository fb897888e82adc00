import { PassThrough, Writable } from "node:stream";

import { realClock } from "../../../src/cli/clock.js";
import type { Io } from "../../../src/cli/io.js";

/** The world of a command that runs within the test. */
export interface FakeIo extends Io {
  /** What was written so far. */
  out(): string;
  err(): string;
  /** The most characters that stdout held at once because nobody had taken them. */
  most(): number;
}

/** @param options `columns`: stderr is a terminal so wide; `slow`: stdout is read a little at a time. */
export function fakeIo(options: { readonly columns?: number; readonly slow?: true } = {}): FakeIo {
  let [out, err, most] = ["", "", 0];
  const stdout = new Writable({
    decodeStrings: false,
    highWaterMark: 16_384,
    write(chunk: string, _, done) {
      most = Math.max(most, stdout.writableLength);
      out += chunk;
      if (options.slow === true) setImmediate(done);
      else done();
    },
  });
  const stderr = {
    ...(options.columns === undefined ? {} : { isTTY: true, columns: options.columns }),
    write: (text: string) => {
      err += text;
    },
  };
  return {
    stdin: new PassThrough().end(),
    stdout,
    stderr,
    env: {},
    clock: realClock,
    random: Math.random,
    out: () => out,
    err: () => err,
    most: () => most,
  };
}

/** Runs a command within this process; its exit status, which is not to be that of the tests. */
export async function within(
  program: (argv: readonly string[], io: Io) => Promise<void>,
  argv: readonly string[],
  io: Io,
): Promise<number> {
  const before = process.exitCode;
  await program(argv, io);
  const { exitCode } = process;
  process.exitCode = before;
  return Number(exitCode);
}
