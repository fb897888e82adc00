"""Loads into local-bigquery, a server of others' making that reads GoogleSQL by itself.

The tests are those of the repository, run against a server that is started here: the conformance
suite of sinks, whole loads, faults made by a proxy in front of the server, and kills.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager

from duckdb_extensions import import_extension

from report import Report

HERE = os.path.dirname(os.path.abspath(__file__))
EXTENSIONS = ("icu", "ducklake", "spatial")
PROJECT = "test-project"
FILES = ("test/loaders/bigquery", "test/conformance")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ready(url, process):
    for _ in range(600):
        if process.poll() is not None:
            return False
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return True
        except OSError:
            time.sleep(0.1)
    return False


@contextmanager
def server(home):
    """The address of a server with a home and data of its own."""
    port = free_port()
    command = [sys.executable, os.path.join(HERE, "server.py"), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--grpc-port", str(free_port()), "--project", PROJECT]
    command += ["--dataset", "dflt", "--data-dir", os.path.join(home, "data")]
    with open(os.path.join(home, "server.log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env={**os.environ, "HOME": home}, stdout=log, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        if not ready(f"{address}/bigquery/v2/projects/{PROJECT}/datasets", process):
            with open(log.name, encoding="utf-8") as text:
                print(text.read()[-2000:], file=sys.stderr)
            raise RuntimeError("the server did not start")
        yield address
    finally:
        process.terminate()
        process.wait(30)


def results(endpoint, report_file):
    """Runs the tests; tells them as vitest does."""
    env = {**os.environ, "KB4_TEST_BIGQUERY_ENDPOINT": endpoint, "TEST_REPORT": report_file}
    command = ["npx", "vitest", "run", "--project", "utc", *FILES, "-t", "BigQuery"]
    subprocess.run(command, env=env, stdout=sys.stderr, stderr=sys.stderr, check=False)
    with open(report_file, encoding="utf-8") as file:
        found = json.load(file)
    return [test for part in found["testResults"] for test in part["assertionResults"]]


def main():
    report = Report("bigquery")
    home = tempfile.mkdtemp(prefix="knowbe4-bigquery-")
    own = os.environ.get("HOME", home)
    try:
        os.environ["HOME"] = home
        with report.step("DuckDB's extensions come from packages"):
            for name in EXTENSIONS:
                import_extension(name)
        os.environ["HOME"] = own
        with server(home) as endpoint:
            tests = results(endpoint, os.path.join(home, "report.json"))
        ran = [test for test in tests if test["status"] in ("passed", "failed")]
        for test in ran:
            reason = " ".join(test["failureMessages"])[:300]
            report.check(test["fullName"], test["status"] == "passed", reason)
        report.check(f"{len(ran)} tests ran", len(ran) >= 40)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    report.close()


if __name__ == "__main__":
    main()
