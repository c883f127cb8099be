#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the shape of the sources: who includes whom, lengths, banned calls, licence lines.

usage: check_source.py [ROOT] [--stats]

Prints every violation as file:line: text and exits with 1 if there is one.
"""
import re
import statistics
import subprocess
import sys
from pathlib import Path

FILE_LIMIT, FUNCTION_LIMIT, P90_LIMIT, MEDIAN_LIMIT = 600, 80, 50, 15

# Each room, and the rooms that it may include from (its own included).
ENGINE = ["base", "kernels", "graph", "ops", "nn", "models", "data", "weights"]
ALLOWED = {room: set(ENGINE[: i + 1]) for i, room in enumerate(ENGINE)}
ALLOWED["logger"] = {"base"}
ALLOWED["trainer"] = set(ENGINE)
# The rooms of the logger and of the trainer, each of which may include from itself and from those before it.
# Files beside the rooms are for all of them (logger/framing.h), or know all of them (trainer/command.c).
ROOMS = {
    "logger": ["read", "write", "kinds"],
    "trainer": ["output", "plot", "config", "run", "sweep", "train", "commands", "engine_commands"],
}
PUBLIC = {  # public headers <spur/x.h> by the room that owns them
    "status.h": "base",
    "log.h": "logger",
    "events.h": "logger",
}

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|rand|srand|gmtime|localtime|"
    r"ctime|asctime|gets|tmpnam|mktemp)\s*\("
)
LIBRARY_BANNED = re.compile(r"(?<![\w.>])(exit|abort|printf|perror|puts|putchar)\s*\(")


def room_of(path):
    parts = path.parts
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


def owner_of_public(name):
    return PUBLIC.get(name, "nn")


def strip(text):
    """Blanks out comments and the contents of strings, keeping line numbers."""

    def blank(match):
        s = match.group(0)
        if s[0] == '"':
            return '"' + " " * (len(s) - 2) + '"'
        if s[0] == "'":
            return "' '"
        return re.sub(r"[^\n]", " ", s)

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text, flags=re.S)


def check_includes(path, text, report):
    room = room_of(path)
    if room not in ALLOWED:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if not match:
            continue
        target = match.group(2)
        if target.startswith("spur/"):
            owner = owner_of_public(target[5:])
            if room in ENGINE and owner == "nn":
                continue
        elif match.group(1) == '"' and target.split("/")[0] in ENGINE and "/" in target:
            owner = target.split("/")[0]
        else:
            continue
        if owner == room or owner in ALLOWED[room] or (room == "trainer" and owner in ("nn", "logger")):
            continue
        report(path, number, f"{room} must not include {target}")


def check_rooms(path, text, report):
    rooms = ROOMS.get(path.parts[0])
    if rooms is None or len(path.parts) != 3:
        return
    if path.parts[1] not in rooms:
        report(path, 1, f"{path.parent} is not in the list of rooms")
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+"(\w+)/', line)
        if match and match.group(1) in rooms[rooms.index(path.parts[1]) + 1:]:
            report(path, number, f"{path.parent} must not include from {path.parts[0]}/{match.group(1)}")


def functions(text):
    """(first line, name, lines) of every function body: a '{' at depth 0 after a ')'."""
    clean = re.sub(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m.group(0).count("\n"), strip(text))
    depth, start, last = 0, None, 0
    for i, c in enumerate(clean):
        if c == "{":
            if depth == 0:
                head = clean[last:i].strip()
                match = re.search(r"(\w+)\s*\((?:[^()]|\([^()]*\))*\)\s*$", head)
                if match and not head.startswith(("struct", "enum", "union")) or (match and ")" in head[-2:]):
                    begin = last + (len(clean[last:i]) - len(clean[last:i].lstrip()))
                    start = (clean.count("\n", 0, begin) + 1, match.group(1))
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                if start:
                    yield start[0], start[1], clean.count("\n", 0, i) + 2 - start[0]
                start, last = None, i + 1
        elif c == ";" and depth == 0:
            last = i + 1


def check_file(root, path, lengths, report):
    text = (root / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    if not any("SPDX-License-Identifier: MIT" in line for line in lines[:3]):
        report(path, 1, "no SPDX line")
    if len(lines) > FILE_LIMIT:
        report(path, len(lines), f"{len(lines)} lines, at most {FILE_LIMIT}")
    clean = strip(text)
    library = path.parts[0] in ("src", "logger")
    for number, line in enumerate(clean.splitlines(), 1):
        for pattern in (BANNED, LIBRARY_BANNED) if library else (BANNED,):
            match = pattern.search(line)
            if match:
                report(path, number, f"banned call {match.group(1)}")
    check_includes(path, text, report)
    check_rooms(path, text, report)
    for number, name, length in functions(text):
        if path.parts[0] not in ("tests",):
            lengths.append(length)
        if length > FUNCTION_LIMIT:
            report(path, number, f"{name}: {length} lines, at most {FUNCTION_LIMIT}")


def tracked(root):
    out = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"],
                         capture_output=True, text=True)
    if out.returncode == 0:
        names = out.stdout.splitlines()
    else:
        names = [str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()]
    paths = [Path(n) for n in names if Path(n).suffix in (".c", ".h")]
    return [p for p in paths if p.parts[0] != "build" and (root / p).is_file()]


def main():
    args = [a for a in sys.argv[1:] if not a.startswith("-")]
    root = Path(args[0] if args else ".").resolve()
    problems, lengths = [], []
    for path in sorted(tracked(root)):
        check_file(root, path, lengths, lambda p, n, t: problems.append(f"{p}:{n}: {t}"))
    if lengths:
        lengths.sort()
        median, p90 = statistics.median(lengths), lengths[int(len(lengths) * 0.9)]
        print(f"{len(lengths)} functions: median {median:g} lines, 90% within {p90}, longest {lengths[-1]}")
        if median > MEDIAN_LIMIT or p90 > P90_LIMIT:
            problems.append(f"function lengths: median {median:g} (at most {MEDIAN_LIMIT}), "
                            f"90% {p90} (at most {P90_LIMIT})")
    print("\n".join(problems) if problems else "sources in shape")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
