"""Runs a suite for so many seconds at most, and leaves no process of it behind."""

import os
import signal
import subprocess
import sys


def main():
    seconds, *script = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = subprocess.Popen([sys.executable, *script], start_new_session=True)
    status = 1
    try:
        status = process.wait(timeout=int(seconds))
    except subprocess.TimeoutExpired:
        print(f"FAIL {script[0]}: not done after {seconds} s", flush=True)
    finally:
        if process.poll() is None:
            interrupt(process)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    sys.exit(status)


def interrupt(process):
    """Lets the suite end its servers and remove its folders."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        pass


if __name__ == "__main__":
    main()
