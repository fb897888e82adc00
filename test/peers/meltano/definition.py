"""
The settings of the plugin definition, as spec.json has them.

Run by itself it prints them as JSON, which is YAML too.
"""

import json
import os

KINDS = {"string": "string", "integer": "integer", "number": "decimal", "boolean": "boolean"}


def settings(root):
    """One entry per setting; a setting in a group has a dot in its name, as Meltano wants it."""
    with open(os.path.join(root, "spec.json"), encoding="utf-8") as file:
        return list(_settings(json.load(file)["connectionSpecification"]["properties"], ""))


def _settings(properties, group):
    for name, schema in properties.items():
        if "properties" in schema:
            yield from _settings(schema["properties"], f"{name}.")
            continue
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kind = KINDS[next(t for t in types if t != "null")]
        if "enum" in schema:
            kind = "options"
        if schema.get("format") == "date":
            kind = "date_iso8601"
        entry = {"name": group + name, "label": schema["title"], "kind": kind}
        if schema.get("airbyte_secret"):
            entry["sensitive"] = True
        if "enum" in schema:
            entry["options"] = [{"label": value, "value": value} for value in schema["enum"]]
        # No value is given: the tap has the defaults, and a copy of them would grow old.
        default = schema.get("default")
        suffix = "" if default is None else f" {json.dumps(default)} unless set."
        yield {**entry, "description": schema["description"] + suffix}


if __name__ == "__main__":
    print(json.dumps(settings(os.getcwd()), indent=2))
