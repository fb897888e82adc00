"""Every line that source-knowbe4 writes, through the models that Airbyte's own programs use."""

import json
import os
import subprocess
import tempfile

import jsonschema
from airbyte_cdk.models import AirbyteMessageSerializer
from airbyte_protocol.models import AirbyteMessage

from programs import program
from report import Report
from simulator import KEYS, Simulator

BODIES = {
    "SPEC": "spec",
    "CONNECTION_STATUS": "connectionStatus",
    "CATALOG": "catalog",
    "RECORD": "record",
    "STATE": "state",
    "LOG": "log",
    "TRACE": "trace",
}


def run(*args, expect=0):
    """Lines on stdout of one command."""
    done = subprocess.run(
        ["node", program("source-knowbe4"), *args], capture_output=True, text=True, timeout=120
    )
    if (done.returncode == 0) != (expect == 0):
        raise RuntimeError(f"{args[0]} exited {done.returncode}: {done.stdout[-500:]}")
    return done.stdout.splitlines()


def problem(line):
    """What is wrong with a line, or None. The models let much pass, so some is checked here."""
    try:
        AirbyteMessage.model_validate_json(line, strict=True)
        AirbyteMessageSerializer.load(json.loads(line))
    except Exception as error:
        return f"{type(error).__name__} {str(error).splitlines()[0]}: {line[:200]}"
    message = json.loads(line)
    body = BODIES.get(message["type"])
    if body is None or set(message) != {"type", body}:
        return f"not one body that fits its type: {line[:200]}"
    envelope = {k: v for k, v in message[body].items() if k != "data"}
    if body != "state" and has_null(envelope):
        return f"null where a key should be left out: {line[:200]}"
    if body == "state" and message["state"].get("type") != "STREAM":
        return f"not a state of one stream: {line[:200]}"
    return None


def has_null(value):
    if isinstance(value, dict):
        # A setting whose default is null says so in the specification.
        return any(has_null(v) for k, v in value.items() if k not in ("default", "enum"))
    if isinstance(value, list):
        return any(map(has_null, value))
    return value is None


def main():
    report = Report("models")
    with Simulator() as account, tempfile.TemporaryDirectory() as folder:

        def write(name, value):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                json.dump(value, file)
            return path

        good = write("config.json", account.config)
        wrong = write("wrong.json", {**account.config, "api_key": "not-the-key-1234"})

        def lines_of(what, *args, expect=0):
            lines = run(*args, expect=expect)
            found = [p for p in map(problem, lines) if p]
            report.none(f"{what}: {len(lines)} lines are messages", found)
            return [json.loads(line) for line in lines]

        (spec,) = lines_of("spec", "spec")
        (catalog,) = lines_of("discover", "discover", "--config", good)
        for what, config, status in (("good", good, "SUCCEEDED"), ("wrong", wrong, "FAILED")):
            messages = lines_of(f"check with a {what} key", "check", "--config", config)
            told = [m["connectionStatus"]["status"] for m in messages if "connectionStatus" in m]
            report.equal(f"check with a {what} key: tells {status} once", told, [status])

        streams = catalog["catalog"]["streams"]
        schemas = {s["name"]: s["json_schema"] for s in streams}
        with report.step("specification and stream schemas are JSON schemas of draft 7"):
            for schema in (spec["spec"]["connectionSpecification"], *schemas.values()):
                jsonschema.Draft7Validator.check_schema(schema)
        report.equal("discover: all streams", sorted(schemas), sorted(KEYS))

        def configured(mode):
            return {
                "streams": [
                    {
                        "stream": stream,
                        "sync_mode": mode
                        if mode in stream["supported_sync_modes"]
                        else "full_refresh",
                        "destination_sync_mode": "append",
                    }
                    for stream in streams
                ]
            }

        whole = write("whole.json", configured("full_refresh"))
        since = write("since.json", configured("incremental"))
        lines_of("read, full refresh", "read", "--config", good, "--catalog", whole)
        first = lines_of("read, incremental", "read", "--config", good, "--catalog", since)
        records = [m["record"] for m in first if m["type"] == "RECORD"]
        validators = {
            n: jsonschema.Draft7Validator(s, format_checker=jsonschema.FormatChecker())
            for n, s in schemas.items()
        }
        report.none(
            f"read: {len(records)} records fit the schemas of discover",
            (
                f"{r['stream']}: {error.message}"
                for r in records
                for error in validators[r["stream"]].iter_errors(r["data"])
            ),
        )
        report.none(
            "read: no record has a column that discover does not tell",
            {
                f"{r['stream']}.{name}"
                for r in records
                for name in r["data"].keys() - schemas[r["stream"]]["properties"].keys()
            },
        )
        states = {}
        for message in first:
            if message["type"] == "STATE":
                states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        report.equal("read: every stream ends with a state", sorted(states), sorted(KEYS))
        account.advance()
        state = write("state.txt", list(states.values()))
        second = lines_of(
            "read with state, a day later",
            "read",
            "--config",
            good,
            "--catalog",
            since,
            "--state",
            state,
        )
        again = sum(m["type"] == "RECORD" for m in second)
        report.check(
            f"read with state: {again} records instead of {len(records)}",
            0 < again < len(records),
        )
        lines_of("read with a wrong key", "read", "--config", wrong, "--catalog", since, expect=1)
        bogus = write(
            "bogus.json", {"streams": [{"stream": {"name": "nothing"}, "sync_mode": "INVALID"}]}
        )
        failed = lines_of(
            "read of what is not there", "read", "--config", good, "--catalog", bogus, expect=1
        )
        report.check(
            "read of what is not there: an error trace",
            any(m["type"] == "TRACE" and m["trace"]["type"] == "ERROR" for m in failed),
        )
    report.close()


if __name__ == "__main__":
    main()
