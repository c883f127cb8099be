# SPDX-License-Identifier: MIT
"""What the scripts here share: their words, the packages that they need, and what goes wrong in one line.

A script that is told something wrong, or lacks a program, a file or a package, leaves with 2; one whose program
failed with 1.
"""
import argparse
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path


class Failure(Exception):
    """What ends a script with 1: a program that is measured failed."""


def leave(message, status):
    print(f"{Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    sys.exit(status)


def refuse(message):
    leave(message, 2)


def require(*modules):
    """Before they are imported, so that a missing one is no traceback."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        refuse(f"{sys.executable} has no {', '.join(missing)}")


def program(path):
    """A program's path, if it can be run."""
    return path if shutil.which(path) else refuse(f"{path}: no such program")


def words(usage, least, most):
    """The words of a script without options; `usage` is its docstring."""
    if not least <= len(sys.argv) - 1 <= most:
        refuse(next(line for line in usage.splitlines() if line.startswith("usage:")))
    return sys.argv[1:]


def chosen(text, known):
    """The names of a list with commas."""
    names = text.split(",")
    for name in names:
        if name not in known:
            refuse(f"'{name}' is none of {', '.join(known)}")
    return names


def comparison(rounds, count):
    """The words of a comparison: the program, and how often things are repeated, by the option `rounds`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(f"--{rounds}", type=int, default=count)
    parser.add_argument("--only", default="")
    parser.add_argument("--json")
    options = parser.parse_args()
    program(options.program)
    return options


def last_line(error):
    """What a program that failed said."""
    said = error.stderr or b""
    lines = (said if isinstance(said, str) else said.decode(errors="replace")).strip().splitlines()
    return f"{error.cmd[0]}: {lines[-1] if lines else f'exit status {error.returncode}'}"


def run(main):
    """Runs a script's main function and leaves."""
    try:
        sys.exit(main())
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}" if error.filename else error)
    except json.JSONDecodeError as error:
        refuse(f"found '{error.doc[:40].strip()}', expected JSON")
    except subprocess.CalledProcessError as error:
        leave(last_line(error), 1)
    except Failure as failure:
        leave(failure, 1)
    except KeyboardInterrupt:
        leave("interrupted", 130)
