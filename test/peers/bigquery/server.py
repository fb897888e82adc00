"""local-bigquery with five repairs, made from outside.

MERGE within a transaction (DuckDB aborts a transaction at a nested BEGIN), named arguments within a
MERGE, two RENAME COLUMN in one ALTER TABLE, compressed uploads, and 409 for a job id that is given
twice at the same moment.
"""

import gzip
import os
import re
import shutil
import sys
import threading
import time
from importlib.metadata import entry_points

import duckdb
from local_bigquery.jobs import merge, runner
from sqlglot import exp


class WithinTransaction:
    """A cursor that says of itself whether a transaction is open, before DuckDB aborts it."""

    def __init__(self, cursor):
        self._cursor = cursor

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def execute(self, sql, *rest):
        if sql == "BEGIN" and self._is_open():
            raise duckdb.TransactionException("a transaction is open")
        return self._cursor.execute(sql, *rest)

    def _is_open(self):
        # now() stands still within a transaction.
        first = self._now()
        time.sleep(0.001)
        return first == self._now()

    def _now(self):
        return self._cursor.execute("SELECT epoch_us(now())").fetchone()[0]


run_merge = merge.run


def merge_within(cursor, tree, context):
    # A MERGE is written out and read again, and then PARSE_JSON has another name.
    for call in tree.find_all(exp.Anonymous):
        if call.name.lower().endswith("parse_json"):
            plain = [a.expression if isinstance(a, exp.Kwarg) else a for a in call.expressions]
            call.set("expressions", plain)
    return run_merge(WithinTransaction(cursor), tree, context)


merge.run = merge_within

submit_job, one_at_a_time = runner.submit, threading.Lock()


TWO_NAMES = re.compile(r"(ALTER TABLE \S+) (RENAME COLUMN \S+ TO \S+), (RENAME COLUMN)")


def apart(configuration):
    query = configuration.query
    if query is None:
        return configuration
    text = TWO_NAMES.sub(r"\1 \2;\n\1 \3", query.query)
    return configuration.replace(query=query.replace(query=text))


def submit(project_id, job_id, configuration, upload=None):
    if upload and open(upload, "rb").read(2) == b"\x1f\x8b":
        with gzip.open(upload, "rb") as packed, open(f"{upload}.plain", "wb") as plain:
            shutil.copyfileobj(packed, plain)
        os.replace(f"{upload}.plain", upload)
    configuration = apart(configuration)
    with one_at_a_time:
        return submit_job(project_id, job_id, configuration, upload)


runner.submit = submit

if __name__ == "__main__":
    scripts = entry_points(group="console_scripts")
    sys.exit(next(s for s in scripts if s.name == "local-bigquery").load()())
