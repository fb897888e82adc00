import { setImmediate as nextTurn } from "node:timers/promises";

import type { Clock } from "../../src/core/clock.js";

/** A clock that tests move. Sleeping takes no real time: it moves the clock and is recorded. */
export interface FakeClock extends Clock {
  /** Every sleep so far, in milliseconds. */
  readonly slept: readonly number[];
  /** Moves time on and fires the timers that become due. */
  advance(ms: number): void;
  /** Sets the wall clock without touching the monotonic one, as somebody setting the date does. */
  setWall(ms: number): void;
  /** Fires every pending timer at once: a watchdog going off. */
  fireTimers(): void;
  /** Timers set by `after` and not yet fired or cancelled. */
  readonly pendingTimers: number;
}

/** 2026-06-01T00:00:00Z, where fake clocks start unless told. */
export const FAKE_START = Date.parse("2026-06-01T00:00:00Z");

/** A fake clock; `sleep` resolves on the next turn of the event loop. */
export function fakeClock(start: number = FAKE_START): FakeClock {
  let wall = start;
  let mono = 1_000;
  const slept: number[] = [];
  let timers: { due: number; run: () => void }[] = [];
  const fire = (due: (timer: { due: number }) => boolean): void => {
    const ready = timers.filter(due);
    timers = timers.filter((timer) => !ready.includes(timer));
    for (const timer of ready) timer.run();
  };
  const move = (ms: number): void => {
    wall += ms;
    mono += ms;
  };
  return {
    slept,
    now: () => wall,
    monotonic: () => mono,
    // Watchdogs are not fired by sleeping: a request in flight is not idle because we waited.
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
      move(ms);
      await nextTurn();
      signal?.throwIfAborted();
    },
    after(ms, run) {
      const timer = { due: mono + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((t) => t !== timer);
      };
    },
    advance(ms) {
      move(ms);
      fire((timer) => timer.due <= mono);
    },
    setWall(ms) {
      wall = ms;
    },
    fireTimers() {
      fire(() => true);
    },
    get pendingTimers() {
      return timers.length;
    },
  };
}
