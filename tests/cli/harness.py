# SPDX-License-Identifier: MIT
"""Runs the built program and looks at what it printed and left.

    from harness import Cli, main

    class Inspect(Cli):
        def test_missing(self):
            r = self.spur("inspect", "nowhere", status=2)
            self.assertIn("nowhere: cannot open", r.err)

    if __name__ == "__main__":
        main()

Each test has a directory of its own (self.dir, the working directory of what it runs), removed
afterwards; kept and named when SPUR_KEEP is set. What is remembered of data is not shared with other
tests, either. The program comes from $SPUR, else from build/release/bin. Only Python's standard library
is needed.
"""
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

SOURCE = Path(os.environ.get("SPUR_SOURCE") or Path(__file__).resolve().parents[2])
BUILD = Path(os.environ.get("SPUR_BUILD") or SOURCE / "build" / "release")
SPUR = os.environ.get("SPUR") or str(BUILD / "bin" / "spur")


class Result:
    """What a program did: status, out, err (text; broken UTF-8 as backslashes)."""

    def __init__(self, args, done):
        self.args, self.status = args, done.returncode
        self.out = done.stdout.decode("utf-8", "backslashreplace")
        self.err = done.stderr.decode("utf-8", "backslashreplace")

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def rows(self):
        """The rows of a CSV table, as dictionaries."""
        return list(csv.DictReader(io.StringIO(self.out, newline="")))

    def __str__(self):
        return "%s\nexit status %d\n--- stdout\n%s--- stderr\n%s" % (" ".join(map(str, self.args)), self.status,
                                                                   self.out, self.err)


class Cli(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="spur_cli_"))
        if os.environ.get("SPUR_KEEP"):
            print("%s: %s" % (self.id(), self.dir), file=sys.stderr)
        else:
            self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        remembered = tempfile.TemporaryDirectory(prefix="spur_cli_cache_")
        self.addCleanup(remembered.cleanup)
        os.environ["XDG_CACHE_HOME"] = remembered.name

    def run_program(self, *args, status=0, env=None, input=None):
        """Runs a program in self.dir and checks its exit status (None: any)."""
        done = subprocess.run([str(a) for a in args], cwd=self.dir, capture_output=True, input=input,
                              env={**os.environ, "TZ": "UTC", **(env or {})})
        result = Result(args, done)
        if status is not None and result.status != status:
            self.fail("expected exit status %d:\n%s" % (status, result))
        return result

    def spur(self, *args, **more):
        return self.run_program(SPUR, *args, **more)

    def start(self, *args, env=None):
        """Starts spur and returns the Popen object, for tests that send signals."""
        process = subprocess.Popen([SPUR, *[str(a) for a in args]], cwd=self.dir, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**os.environ, "TZ": "UTC", **(env or {})})
        self.addCleanup(lambda: process.poll() is None and process.kill())
        return process

    def wait_until(self, true, process):
        """Returns what true() gives once it is true, however long that takes; the process must not have ended before."""
        while not (found := true()):
            if process.poll() is not None and not true():
                self.fail("ended early, with status %d: %s" % (process.returncode, process.stderr and process.stderr.read()))
            time.sleep(0.005)
        return found

    def on_terminal(self, *args, columns=80, rows=24, status=0, env=None):
        """Runs spur on a pseudo-terminal of that size; returns what it showed (stdout and stderr)."""
        import fcntl
        import pty
        import struct
        import termios

        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        env = {**os.environ, "TZ": "UTC", "TERM": "xterm", "COLUMNS": str(columns), "LC_ALL": "C.UTF-8",
               **(env or {})}
        process = subprocess.Popen([SPUR, *[str(a) for a in args]], cwd=self.dir, stdin=follower, stdout=follower,
                                   stderr=follower, env=env, close_fds=True)
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:
                part = b""
            if not part:
                break
            shown += part
        os.close(leader)
        process.wait()
        text = shown.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        self.assertEqual(process.returncode, status, text)
        return text

    def write(self, name, content):
        """Makes a file below self.dir."""
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def copy(self, source, name):
        """Copies a file or directory of the sources to self.dir."""
        to = self.dir / name
        if (SOURCE / source).is_dir():
            shutil.copytree(SOURCE / source, to, symlinks=True)
        else:
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE / source, to)
        return to

    def tree(self, directory="."):
        """All files below a directory of self.dir, sorted, as relative paths."""
        base = self.dir / directory
        return sorted(str(p.relative_to(base)) for p in base.rglob("*") if not p.is_dir())

    def assertNarrow(self, text, columns=80):
        """No line is wider than the terminal."""
        for line in text.splitlines():
            self.assertLessEqual(len(line), columns, line)


def main():
    if not Path(SPUR).exists():
        print("no program at %s" % SPUR)
        sys.exit(77)
    unittest.main()
