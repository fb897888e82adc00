"""A PostgreSQL server of its own, from the binaries that the package pgserver brings."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec


class Postgres:
    """Lasts as long as the `with` block. Any user is let in from this machine."""

    def __enter__(self):
        self._folder = tempfile.mkdtemp(prefix="knowbe4-postgres-")
        self._data = os.path.join(self._folder, "data")
        self._as = {}
        # Asked for without importing it, which would already prepare folders.
        package = os.path.dirname(find_spec("pgserver").origin)
        self._programs = os.path.join(package, "pginstall", "bin")
        if os.geteuid() == 0:
            self._give_up_root(package)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run(
            "initdb",
            "--auth=trust",
            "--username=loader",
            "--encoding=UTF8",
            "--no-sync",
            "-D",
            self._data,
        )
        self._server = subprocess.Popen(
            [
                os.path.join(self._programs, "postgres"), "-D", self._data, "-p", str(self.port),
                "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
                "-c", "fsync=off",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as,
        )  # fmt: skip
        for _ in range(100):
            if self._ready():
                return self
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL did not start")

    def __exit__(self, *_):
        self._server.send_signal(signal.SIGINT)
        self._server.wait(timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)

    def rows(self, schema, table):
        """Rows of a table, as JSON has them."""
        out = self._query(f'SELECT row_to_json(t) FROM "{schema}"."{table}" t')
        return [json.loads(line) for line in out.splitlines()]

    def _query(self, sql):
        return self._run(
            "psql",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            "loader",
            "-d",
            "postgres",
            "-AtXq",
            "-c",
            sql,
        )

    def _ready(self):
        try:
            return self._query("SELECT 1") == "1\n"
        except RuntimeError:
            return False

    def _run(self, name, *args):
        command = [os.path.join(self._programs, name), *args]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, **self._as)
        if done.returncode != 0:
            raise RuntimeError(f"{name} exited {done.returncode}: {done.stderr}")
        return done.stdout

    def _give_up_root(self, package):
        """The server refuses to run as root; somebody else may not be able to read root's cache."""
        for part in (package, f"{package}.libs"):
            if os.path.isdir(part):
                shutil.copytree(
                    part, os.path.join(self._folder, os.path.basename(part)), symlinks=True
                )
        nobody = pwd.getpwnam("nobody")
        os.makedirs(self._data, mode=0o700)
        os.chmod(self._folder, 0o755)
        os.chown(self._data, nobody.pw_uid, nobody.pw_gid)
        self._programs = os.path.join(self._folder, "pgserver", "pginstall", "bin")
        self._as = {
            "user": nobody.pw_uid,
            "group": nobody.pw_gid,
            "extra_groups": [],
            "cwd": self._folder,
        }
