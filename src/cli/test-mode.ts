import type { Page, PageSource, Sink } from "../core/ports.js";

/** A source that gives the first row of each listing and asks for no more. */
export function firstRows(source: PageSource): PageSource {
  return {
    get memory() {
      return source.memory;
    },
    async *pages(listing, signal): AsyncGenerator<Page> {
      for await (const page of source.pages(listing, signal)) {
        yield { ...page, items: page.items.slice(0, 1) };
        return;
      }
    },
  };
}

/** A source that asks for nothing: every listing is empty. */
export function noRows(source: PageSource): PageSource {
  return {
    get memory() {
      return source.memory;
    },
    // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
    async *pages(): AsyncGenerator<Page> {
      yield* [];
    },
  };
}

/** A sink that never hears of checkpoints: rows of a test are not the whole of anything. */
export function withoutState(sink: Sink): Sink {
  return {
    name: sink.name,
    open: (run, signal) => sink.open(run, signal),
    declare: (stream) => sink.declare(stream),
    write: (batch) => sink.write({ ...batch, checkpoint: null }),
    end: (outcome) => sink.end(outcome),
    flush: () => sink.flush(),
    [Symbol.asyncDispose]: () => sink[Symbol.asyncDispose](),
  };
}
