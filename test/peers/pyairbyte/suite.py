"""PyAirbyte reads the account into its DuckDB cache, by the commands of docs/airbyte.md."""

import json
import os
import re
import tempfile

import duckdb
from compare import differences
from pages import Page
from programs import ROOT, executables
from report import Report
from simulator import DEFAULTS, Simulator, by_key, changed

# Streams that are read incrementally and can tell of rows that are gone.
DELETING = ("enrollments", "security_test_recipients")


def table(folder, stream):
    """Rows of a stream in the cache."""
    with duckdb.connect(os.path.join(folder, "cache.duckdb"), read_only=True) as connection:
        found = connection.execute(f'SELECT * FROM knowbe4."{stream}"')
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def lines(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def main():
    report = Report("pyairbyte")
    with Simulator(users=200, tests=12) as account, tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(account.config, file)
        commands = executables(os.path.join(folder, "bin"))
        environment = {
            **os.environ,
            "PATH": commands + os.pathsep + os.environ["PATH"],
            "AIRBYTE_TEMP_DIR": folder,
        }
        page = Page("airbyte.md", folder, environment)
        with open(
            os.path.join(ROOT, "test/peers/pyairbyte/requirements.txt"), encoding="utf-8"
        ) as file:
            pinned = set(file.read().split())
        report.check("the page installs what is tested", set() < page.installed() <= pinned)

        with report.step("check succeeds"):
            assert '"SUCCEEDED"' in page.follow()
        with report.step("streams are discovered and configured"):
            page.follow()
        with report.step("read"):
            page.follow()
        with report.step("read on with the states of the first read"):
            page.follow()
        first, again = (
            [m["record"] for m in lines(folder, name) if m["type"] == "RECORD"]
            for name in ("messages.jsonl", "changes.jsonl")
        )
        truth = account.truth()
        for stream in DEFAULTS:
            rows = [r["data"] for r in first if r["stream"] == stream]
            report.none(
                f"read: {len(rows)} rows of {stream} are the account's",
                differences(stream, rows, truth[stream]),
            )
        report.check(
            f"read on: {len(again)} records instead of {len(first)}", 0 < len(again) < len(first)
        )

        with report.step("PyAirbyte checks, lists the streams and reads them"):
            page.follow()
            out = page.follow()
        report.equal(
            "PyAirbyte: selects the default streams",
            sorted(re.findall(r"^(\w+): \d+ rows$", out, re.M)),
            sorted(DEFAULTS),
        )
        whole = records(out)
        for stream in DEFAULTS:
            rows = table(folder, stream)
            report.none(
                f"first read: {len(rows)} rows of {stream} are the account's",
                differences(stream, rows, truth[stream]),
            )

        account.advance()
        with report.step("PyAirbyte reads on, a day later"):
            out = page.follow()
        after = records(out)
        report.check(f"second read: {after} records instead of {whole}", 0 < after < whole)
        later = account.truth()
        moved = changed(truth, later)
        report.check(f"the day changed rows of {', '.join(moved)}", "enrollments" in moved)
        for stream in DEFAULTS:
            rows = table(folder, stream)
            gone = truth[stream].keys() - later[stream].keys()
            report.none(
                f"second read: {len(rows)} rows of {stream} are the account's",
                differences(stream, rows, later[stream], gone),
            )
        report.none("the page has no further commands", page.rest())
        deleted(report, account, page)
    report.close()


def deleted(report, account, page):
    """With `deleted_records`, what PyAirbyte holds unmarked is the account, after whatever went."""
    folder = os.path.join(page.folder, "deleted")
    os.mkdir(folder)
    # Everything that is read in part is read again, so that nothing waits for its turn.
    more = {"deleted_records": "guarded", "reverify_days": 1, "lookback_days": 3650}
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump({**account.config, **more}, file)
    with report.step("deleted: PyAirbyte reads"):
        page.run("(cd deleted && python ../sync.py)")
    truth = account.truth(DELETING)
    account.advance(30)
    with report.step("deleted: PyAirbyte reads on, a month later"):
        page.run("(cd deleted && python ../sync.py)")
    later = account.truth(DELETING)
    for stream in DELETING:
        rows = table(folder, stream)
        there = [row for row in rows if row["_ab_cdc_deleted_at"] is None]
        gone = [row for row in rows if row["_ab_cdc_deleted_at"] is not None]
        report.none(
            f"deleted: {len(there)} unmarked rows of {stream} are the account's",
            differences(stream, there, later[stream]),
        )
        report.equal(
            f"deleted: {len(gone)} marked rows of {stream} are what went",
            by_key(stream, gone).keys(),
            truth[stream].keys() - later[stream].keys(),
        )
    went = truth["enrollments"].keys() - later["enrollments"].keys()
    report.check("deleted: enrollments went", len(went) > 0)


def records(out):
    return int(re.search(r"^records: (\d+)$", out, re.M)[1])


if __name__ == "__main__":
    main()
