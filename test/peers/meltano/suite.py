"""Meltano runs the tap into two targets, by the commands of docs/meltano.md."""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading

import definition
import yaml
from compare import differences
from gate import Gate
from pages import Page
from postgres import Postgres
from programs import ROOT, executables, program
from report import Report
from simulator import DEFAULTS, KEYS, Simulator, by_key, changed

HERE = os.path.dirname(os.path.abspath(__file__))
LIMITS = ("PER_SECOND", "PER_MINUTE", "PER_DAY")


def main():
    report = Report("meltano")
    check_definition(report)
    with (
        Simulator(users=200, tests=12, latency=20) as account,
        Postgres() as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        page, whole = follow(report, account, database, folder)
        interrupted(report, account, database, page, whole)
        deleted(report, account, database, page)
    report.close()


def check_definition(report):
    path = os.path.join(ROOT, "integrations", "meltano", "tap-knowbe4.yml")
    with open(path, encoding="utf-8") as file:
        told = yaml.safe_load(file)
    report.equal(
        "definition: has the settings of spec.json", told["settings"], definition.settings(ROOT)
    )
    about = subprocess.run(
        ["node", program("tap-knowbe4"), "--about", "--format=json"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    can = {*json.loads(about.stdout)["capabilities"], "structured-logging"}
    report.equal("definition: has the tap's capabilities", set(told["capabilities"]), can)


def follow(report, account, database, folder):
    """The whole page, with checks between its steps; tells how many requests a whole run takes."""
    commands = executables(os.path.join(folder, "bin"))
    page = Page(
        "meltano.md",
        folder,
        {
            **os.environ,
            "PATH": commands + os.pathsep + os.environ["PATH"],
            "CONNECTOR": ROOT,
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "NO_COLOR": "1",
            "TAP_KNOWBE4_API_KEY": account.key,
            "TAP_KNOWBE4_API_URL": account.url,
            **{f"TAP_KNOWBE4_RATE_LIMIT_{limit}": "0" for limit in LIMITS},
            "TARGET_POSTGRES_HOST": "127.0.0.1",
            "TARGET_POSTGRES_PORT": str(database.port),
            "TARGET_POSTGRES_USER": "loader",
            "TARGET_POSTGRES_PASSWORD": "any",
            "TARGET_POSTGRES_DATABASE": "postgres",
        },
    )
    with open(os.path.join(HERE, "requirements.txt"), encoding="utf-8") as file:
        pinned = set(file.read().split())
    report.check("the page installs what is tested", set() < page.installed() <= pinned)

    with report.step("a project, the tap added from its definition"):
        page.follow()
    with report.step("select"):
        chosen = set(re.findall(r"\] (\w+)\.(?:\w+)", page.follow()))
    report.equal("select: the default streams", chosen, set(DEFAULTS))
    with report.step("config test"):
        assert "Plugin configuration is valid" in page.follow()
    with report.step("config test with a wrong key fails and says why"):
        out = page.run(
            "if TAP_KNOWBE4_API_KEY=wrong meltano config test tap-knowbe4; then exit 1; fi"
        )
        assert "Plugin configuration is invalid" in out and "401" in out, out
    with report.step("config test with a day to start at"):
        page.run("TAP_KNOWBE4_START_DATE=2025-05-01 meltano config test tap-knowbe4")

    truth = account.truth()
    # What a target itself needs is pinned too.
    page.env["UV_CONSTRAINT"] = os.path.join(HERE, "target-jsonl.txt")
    with report.step("run into target-jsonl"):
        page.follow()
    first = files(page.folder)
    compare(report, "target-jsonl", first, truth)
    with report.step("run again into target-jsonl"):
        page.follow()
    both = files(page.folder)
    added = {stream: rows[len(first[stream]) :] for stream, rows in both.items()}
    count, whole = (sum(map(len, rows.values())) for rows in (added, first))
    report.check(f"run again: state was passed, {count} rows instead of {whole}", 0 < count < whole)
    report.none(
        "run again: no row says something else",
        (
            problem
            for stream, rows in added.items()
            for problem in differences(stream, rows, truth[stream])
            if not problem.endswith("lacks")
        ),
    )

    page.env["UV_CONSTRAINT"] = os.path.join(HERE, "target-postgres.txt")
    before = account.requests()
    with report.step("run into target-postgres"):
        page.follow()
    whole = account.requests() - before
    compare(report, "target-postgres", tables(database), truth)
    report.check(
        "target-postgres: a column that is not selected is not there",
        not any("comment" in row for row in database.rows("knowbe4", "users")),
    )
    account.advance()
    later = account.truth()
    before = account.requests()
    with report.step("run into target-postgres a day later"):
        page.follow()
    again = account.requests() - before
    report.check(
        f"a day later: state was passed, {again} requests instead of {whole}", again < whole
    )
    moved = changed(truth, later)
    report.check(f"the day changed rows of {', '.join(moved)}", "enrollments" in moved)
    compare(report, "target-postgres a day later", tables(database), later, truth)

    with report.step("state is kept, for every stream"):
        text = page.follow()
        state = json.loads(text[text.index('{"singer_state"') :].splitlines()[0])
        kept = set(state["singer_state"]["bookmarks"])
    report.equal("state: every stream", kept & set(KEYS), set(DEFAULTS))
    before = account.requests()
    with report.step("run with --full-refresh"):
        page.follow()
    report.check("full refresh: all is asked for again", account.requests() - before >= whole)
    compare(report, "target-postgres after a full refresh", tables(database), later, truth)
    report.none("the page has no further commands", page.rest())
    return page, whole


def interrupted(report, account, database, page, whole):
    """Something happens to the tap in the middle of a run; the next run ends with all rows."""
    truth = account.truth()

    out, _ = interrupt(account, page, whole, "killed", signal.SIGKILL)
    report.check("killed: the run fails", "xtractor" in out and "failed" in out, out[-300:])
    with report.step("killed: the next run ends"):
        page.run(page.env["RUN"])
    compare(report, "killed and run again", tables(database, "killed"), truth)

    # Asked to end, the tap says how far it got, and the next run goes on from there.
    out, state = interrupt(account, page, whole, "stopped", signal.SIGTERM)
    report.check("stopped: the run fails", "Extractor failed" in out, out[-300:])
    kept = set(state) & set(KEYS)
    report.check(
        f"stopped: the state tells of {len(kept)} of {len(DEFAULTS)} streams",
        0 < len(kept) <= len(DEFAULTS),
    )
    before = account.requests()
    with report.step("stopped: the next run ends"):
        page.run(page.env["RUN"])
    again = account.requests() - before
    report.check(
        f"stopped: the next run goes on, {again} requests instead of {whole}", again < whole
    )
    compare(report, "stopped and run again", tables(database, "stopped"), truth)


def interrupt(account, page, whole, name, number):
    """Sends the tap a signal in the middle of a first run; returns what was said, and the state.

    It waits for an answer then: however fast it is, there is something left to read.
    """
    page.env["TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA"] = name
    page.env["RUN"] = f"meltano run --state-id-suffix={name} tap-knowbe4 target-postgres"
    with Gate(account, whole * 3 // 4) as gate:
        page.env["TAP_KNOWBE4_API_URL"] = gate.url
        sender = threading.Thread(target=send, args=(gate, page.folder, number))
        sender.start()
        out = page.run("if $RUN; then exit 1; fi")
        sender.join()
    page.env["TAP_KNOWBE4_API_URL"] = account.url
    told = page.run(f"meltano state get dev:tap-knowbe4-to-target-postgres:{name}")
    found = re.search(r'^\{"singer_state".*$', told, re.M)
    return out, json.loads(found[0])["singer_state"]["bookmarks"] if found else {}


def send(gate, folder, number):
    """Sends a signal to the tap of this project as soon as it waits at the gate."""
    gate.closed.wait(timeout=60)
    listed = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        if program("tap-knowbe4") in command and "--catalog" in command and folder in command:
            os.kill(int(pid), number)


def deleted(report, account, database, page):
    """With `deleted_records`, what the target holds unmarked is the account, after whatever went."""
    page.env |= {
        "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "deleted",
        "TAP_KNOWBE4_DELETED_RECORDS": "guarded",
        # Everything that is read in part is read again, so that nothing waits for its turn.
        "TAP_KNOWBE4_REVERIFY_DAYS": "1",
        "TAP_KNOWBE4_LOOKBACK_DAYS": "3650",
    }
    run = "meltano run --state-id-suffix=deleted tap-knowbe4 target-postgres"
    with report.step("deleted: a first run"):
        page.run(run)
    truth = account.truth()
    account.advance(30)
    with report.step("deleted: a run a month later"):
        page.run(run)
    later = account.truth()
    went = {s: truth[s].keys() - later[s].keys() for s in DEFAULTS}
    report.check(
        f"deleted: rows went of {', '.join(s for s in DEFAULTS if went[s])}",
        went["group_members"] and went["enrollments"],
    )
    there, marked = {}, {}
    for stream, rows in tables(database, "deleted").items():
        gone = [row for row in rows if row.get("_sdc_deleted_at") is not None]
        there[stream] = [row for row in rows if row.get("_sdc_deleted_at") is None]
        marked[stream] = by_key(stream, gone).keys()
    compare(report, "deleted: unmarked", there, later)
    report.equal("deleted: marked is what went", marked, went)


def compare(report, what, found, truth, before=None):
    """Tells whether the rows of all streams are the account's; what it served before may have stayed."""
    problems = []
    for stream, rows in found.items():
        gone = (before or truth)[stream].keys() - truth[stream].keys()
        problems += differences(stream, rows, truth[stream], gone)
    report.none(
        f"{what}: {sum(map(len, found.values()))} rows of {len(found)} streams are the account's",
        problems,
    )


def files(folder):
    """Rows that target-jsonl wrote, by stream."""
    out = {}
    for stream in DEFAULTS:
        with open(os.path.join(folder, "output", f"{stream}.jsonl"), encoding="utf-8") as file:
            out[stream] = [json.loads(line) for line in file]
    return out


def tables(database, schema="knowbe4"):
    """Rows that target-postgres wrote, by stream."""
    return {stream: database.rows(schema, stream) for stream in DEFAULTS}


if __name__ == "__main__":
    main()
