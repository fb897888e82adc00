"""
Airbyte's standard tests with our metadata.yaml and acceptance-test-config.yml, over all streams.

One test is not run: it compares the specification with a published one, and there is none.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

import yaml
from programs import ROOT, executables
from report import Report
from simulator import DEFAULTS, Simulator

HERE = os.path.dirname(os.path.abspath(__file__))
# Asks a registry of connectors for what was published under our name.
NOT_RUN = "test_standard.py::TestSource::test_docker_image_spec_backward_compatibility"


def connector(folder, account):
    """A folder as Airbyte keeps a connector's: metadata, test configuration, secrets, tests."""
    for name in ("metadata.yaml", "acceptance-test-config.yml", "spec.json", "icon.svg"):
        shutil.copy(os.path.join(ROOT, name), folder)
    shutil.copy(os.path.join(HERE, "test_standard.py"), folder)
    configs = {
        "config": account.config,
        "wrong_key": {**account.config, "api_key": "not-the-key-of-anybody-4711"},
        "wrong_address": {**account.config, "api_url": "https://example.com"},
    }
    os.mkdir(os.path.join(folder, "secrets"))
    for name, config in configs.items():
        with open(os.path.join(folder, "secrets", f"{name}.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)


def check_metadata(report):
    """What no test of Airbyte's compares: that the metadata says what the program is."""
    with open(os.path.join(ROOT, "metadata.yaml"), encoding="utf-8") as file:
        data = yaml.safe_load(file)["data"]
    with open(os.path.join(ROOT, "package.json"), encoding="utf-8") as file:
        package = json.load(file)
    with open(os.path.join(ROOT, "src", "api", "regions.ts"), encoding="utf-8") as file:
        regions = file.read()
    told = (data["dockerImageTag"], data["license"])
    report.equal("metadata: version and licence", told, (package["version"], package["license"]))
    streams = data["suggestedStreams"]["streams"]
    report.equal("metadata: suggests the default streams", sorted(streams), sorted(DEFAULTS))
    hosts = data["allowedHosts"]["hosts"]
    known = [host for host in hosts if f'"https://{host}"' in regions]
    count = regions.count("api.knowbe4.com")
    report.check(
        "metadata: allows the five hosts of the API",
        known == hosts and len(hosts) == 5,
        f"{known} of {count}",
    )


def main():
    report = Report("standard")
    check_metadata(report)
    with Simulator(users=30, tests=5) as account, tempfile.TemporaryDirectory() as temporary:
        folder = os.path.join(temporary, "source-knowbe4")
        os.mkdir(folder)
        connector(folder, account)
        commands = executables(os.path.join(temporary, "bin"))
        shutil.copy(os.path.join(HERE, "docker"), commands)
        results = os.path.join(temporary, "results.xml")
        environment = {
            **os.environ,
            "CONNECTOR": os.path.join(commands, "source-knowbe4"),
            "PATH": commands + os.pathsep + os.environ["PATH"],
        }
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            "-p", "airbyte_cdk.test.standard_tests.pytest_hooks",
            "--connector-image=knowbe4-connector/source-knowbe4:dev",
            "--read-from-streams=all", f"--junit-xml={results}", "--deselect", NOT_RUN, "test_standard.py",
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240
        )
        print(done.stdout[-8000:], done.stderr[-2000:], file=sys.stderr)
        cases = list(ElementTree.parse(results).iter("testcase"))
        ran = 0
        for case in cases:
            if case.find("skipped") is not None:
                print(
                    f"     standard: {case.get('name')}: {case.find('skipped').get('message')}",
                    file=sys.stderr,
                )
                continue
            ran += 1
            bad = case.find("failure") if case.find("failure") is not None else case.find("error")
            report.check(
                case.get("name"),
                bad is None,
                "" if bad is None else bad.get("message", "").splitlines()[0],
            )
        report.check(f"{ran} of {len(cases)} tests apply", ran >= 13, "fewer than 13")
    report.close()


if __name__ == "__main__":
    main()
