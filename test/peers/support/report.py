"""One line per check, and the exit status of a suite."""

import sys
import traceback
from contextlib import contextmanager


class Report:
    def __init__(self, suite):
        self.suite = suite
        self.failed = 0

    def _line(self, word, what):
        print(f"{word:<4} {self.suite}: {what}", flush=True)

    def check(self, what, holds, otherwise=""):
        """Reports one thing that must hold; `otherwise` says what was found instead."""
        if holds:
            self._line("ok", what)
        else:
            self.failed += 1
            self._line("FAIL", f"{what}: {otherwise}" if otherwise else what)
        return holds

    def equal(self, what, actual, expected):
        return self.check(what, actual == expected, f"{actual!r}, expected {expected!r}")

    def none(self, what, problems):
        """Nothing of a kind was found; otherwise the first few are shown."""
        problems = list(problems)
        shown = "; ".join(str(problem)[:300] for problem in problems[:3])
        return self.check(what, not problems, f"{len(problems)} problems: {shown}")

    @contextmanager
    def step(self, what):
        """Reports the block as one check that fails if anything is raised in it."""
        try:
            yield
        except Exception as error:  # whatever a peer raises is what the check is about
            traceback.print_exc(file=sys.stderr)
            self.check(what, False, f"{type(error).__name__}: {error}".splitlines()[0])
            raise SystemExit(1) from error
        self.check(what, True)

    def close(self):
        sys.exit(1 if self.failed else 0)
