"""A page of the documentation, followed literally."""

import os
import re
import subprocess

from programs import ROOT

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>sh|python)\n(?P<code>.*?)^(?P=indent)```$", re.M | re.S
)
# Stands before a block that installs something; what it installs must be what the suite installs.
INSTALLS = "<!-- installs -->"
# Stands before a block with an account of the reader's own; the suite sets the simulated one.
ACCOUNT = "<!-- account -->"


class Page:
    """The commands of one page, in a folder and an environment that they may change."""

    def __init__(self, name, folder, env):
        path = os.path.join(ROOT, "docs", name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.blocks = [_block(match, text) for match in FENCE.finditer(text)]
        self.folder = folder
        self.env = dict(env)
        self._next = 0

    def installed(self):
        """Every `name==version` that the page tells to install."""
        return {
            pin
            for mark, _, code in self.blocks
            if mark == INSTALLS
            for pin in re.findall(r"[\w.-]+==[\w.]+", code)
        }

    def follow(self, count=1):
        """Runs the next blocks of the page; returns what they wrote to stdout and stderr."""
        out = ""
        while count > 0:
            mark, kind, code = self.blocks[self._next]
            self._next += 1
            if mark in (INSTALLS, ACCOUNT):
                continue
            count -= 1
            out += self._save(code) if kind == "python" else self.run(code)
        return out

    def rest(self):
        """Blocks that nobody has followed."""
        return [c for m, _, c in self.blocks[self._next :] if m not in (INSTALLS, ACCOUNT)]

    def _save(self, code):
        # The first line is a comment with the name of the file.
        name = code.splitlines()[0].removeprefix("# ")
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(code)
        return ""

    def run(self, code):
        """Runs a command where the page stands; returns what it wrote."""
        read, write = os.pipe()
        # What a block exports, and where it goes, holds for the next one.
        script = f"set -euo pipefail\n{code}\n{{ pwd; env -0; }} >&{write}\n"
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.env,
            pass_fds=[write],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        os.close(write)
        try:
            out, _ = process.communicate(timeout=180)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        with os.fdopen(read, encoding="utf-8") as file:
            after = file.read()
        if process.returncode != 0:
            raise RuntimeError(f"exit {process.returncode} of:\n{code}\n{out[-3000:]}")
        self.folder, _, variables = after.partition("\n")
        self.env = dict(v.split("=", 1) for v in variables.split("\0") if "=" in v)
        return out


def _block(match, text):
    before = text[: match.start()].rstrip()
    mark = next((mark for mark in (INSTALLS, ACCOUNT) if before.endswith(mark)), None)
    indent = match["indent"]
    code = "".join(line.removeprefix(indent) for line in match["code"].splitlines(True))
    return mark, match["kind"], code.strip()
