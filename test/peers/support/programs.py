"""The programs of this package, compiled by `test/peers/run`."""

import os
import stat

ROOT = os.environ["PEERS_ROOT"]
NAMES = ("knowbe4", "tap-knowbe4", "source-knowbe4")


def program(name):
    """Compiled program of that name, for node."""
    return os.path.join(ROOT, "dist", "src", "cli", f"{name}.js")


def executables(folder):
    """Makes the programs commands of their own in a folder for PATH, as npm does."""
    os.makedirs(folder, exist_ok=True)
    for name in NAMES:
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec node "{program(name)}" "$@"\n')
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return folder
