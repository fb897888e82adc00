/** Work that goes on while other work is done: one piece at a time. */
export class UnderWay<T> {
  #work: Promise<void> | undefined;
  #over: { readonly result: T } | { readonly error: unknown } | undefined;

  /** Begins; what was begun before must have been taken. */
  begin(work: Promise<T>): void {
    this.#over = undefined;
    this.#work = work.then(
      (result) => {
        this.#over = { result };
      },
      (error: unknown) => {
        this.#over = { error };
      },
    );
  }

  /** What came of it, once; undefined if it is not over, or there is none. @throws what it threw. */
  take(): T | undefined {
    const over = this.#over;
    if (over === undefined) return undefined;
    this.#over = undefined;
    this.#work = undefined;
    if ("error" in over) throw over.error;
    return over.result;
  }

  /** As {@link take}, after it is over. */
  async taken(): Promise<T | undefined> {
    await this.#work;
    return this.take();
  }
}
