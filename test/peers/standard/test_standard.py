"""
Airbyte's own standard tests, of a program that is not Python.

The class also inherits the tests of the image; `docker` beside this file stands for an engine. The
other half runs a connector within the test's own process: what does so is replaced, so that
everything that is judged comes from the program's stdout and exit status.
"""

import os
import subprocess

import airbyte_cdk.test.entrypoint_wrapper as wrapper
from airbyte_cdk.test.standard_tests.source_base import SourceTestSuiteBase

CONNECTOR = os.environ["CONNECTOR"]


def _run(source, args, expecting_exception=None, *, expected_outcome=None):
    done = subprocess.run([CONNECTOR, *args], capture_output=True, text=True, timeout=120)
    failure = subprocess.CalledProcessError(done.returncode, args, done.stdout, done.stderr)
    return wrapper.EntrypointOutput(
        command=[CONNECTOR, *args],
        messages=done.stdout.splitlines(),
        stderr=done.stderr,
        uncaught_exception=failure if done.returncode else None,
    )


wrapper._run_command = _run


class Program:
    """Stands for the class of a connector; nothing of it is called."""

    def spec(self, logger):
        raise NotImplementedError


class TestSource(SourceTestSuiteBase):
    connector = Program
