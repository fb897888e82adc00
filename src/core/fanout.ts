import pLimit from "p-limit";

/** One parent and the pages below it, its first page already on the way. */
export interface Branch<P, T> {
  readonly parent: P;
  readonly pages: AsyncIterable<T>;
}

/**
 * Reads below many parents at once and hands the results on in the order of the parents.
 *
 * At most `concurrency` first pages are requested ahead; what follows the first page of a parent
 * is requested when its turn comes. So the order of rows does not depend on the concurrency, and
 * at most that many pages are in memory.
 */
export function* fanOut<P, T>(
  parents: Iterable<P>,
  concurrency: number,
  open: (parent: P) => AsyncIterable<T>,
): Generator<Branch<P, T>> {
  const limit = pLimit(concurrency);
  const queue: { parent: P; rest: AsyncIterator<T>; first: Promise<IteratorResult<T>> }[] = [];
  const source = parents[Symbol.iterator]();
  const fill = (): void => {
    while (queue.length < concurrency) {
      const next = source.next();
      if (next.done === true) return;
      const rest = open(next.value)[Symbol.asyncIterator]();
      const first = limit(() => rest.next());
      // A page that fails while others are waited for is reported when its turn comes.
      first.catch(() => undefined);
      queue.push({ parent: next.value, rest, first });
    }
  };
  try {
    for (;;) {
      fill();
      const head = queue[0];
      if (head === undefined) return;
      yield { parent: head.parent, pages: firstThenRest(head.first, head.rest) };
      queue.shift();
    }
  } finally {
    // Not awaited: a request in flight ends when the stream's signal is aborted, which comes next.
    for (const branch of queue) branch.rest.return?.().catch(() => undefined);
  }
}

async function* firstThenRest<T>(
  first: Promise<IteratorResult<T>>,
  rest: AsyncIterator<T>,
): AsyncGenerator<T> {
  try {
    for (let next = await first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
