"""Runs a suite for so many seconds at most, and leaves no process of it behind."""

import os
import signal
import subprocess
import sys

seconds, *script = sys.argv[1:]
process = subprocess.Popen([sys.executable, *script], start_new_session=True)
try:
    status = process.wait(timeout=int(seconds))
except subprocess.TimeoutExpired:
    print(f"FAIL {script[0]}: not done after {seconds} s", flush=True)
    status = 1
finally:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
sys.exit(status)
