#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Closing summary of several ctest runs, from the results.xml that each left.

usage: test_summary.py BUILD_FOLDER...

Prints skipped tests with their reason, failed tests, and the totals in ctest's own words. Exits with 1 if
a test failed or a folder has no results.
"""
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def reason(case):
    """The last line that a skipped test printed."""
    lines = [line.strip() for line in (case.findtext("system-out") or "").splitlines() if line.strip()]
    return re.sub(r"^skipped?: *", "", lines[-1], flags=re.I) if lines else "no reason given"


def read(folder):
    """(name, status, reason) of each test."""
    path = Path(folder) / "Testing" / "results.xml"
    if not path.exists():
        path = Path(folder) / "results.xml"
    for case in ET.parse(path).getroot().iter("testcase"):
        status = case.get("status")
        if status == "run":
            yield case.get("name"), "passed", ""
        elif status in ("notrun", "disabled", "skipped") and case.find("failure") is None:
            yield case.get("name"), "skipped", reason(case)
        else:
            yield case.get("name"), "failed", ""


def main():
    total, failures, skips, lines = 0, [], [], []
    for folder in sys.argv[1:]:
        try:
            tests = list(read(folder))
        except (OSError, ET.ParseError) as problem:
            failures.append(f"{folder}: no results ({problem})")
            continue
        bad = [name for name, status, _ in tests if status == "failed"]
        skipped = [(name, why) for name, status, why in tests if status == "skipped"]
        failures += [f"{folder}: {name}" for name in bad]
        skips += [f"{folder}: {name}: {why}" for name, why in skipped]
        count = len(tests) - len(skipped)
        total += count
        lines.append(f"{folder}: {count - len(bad)} of {count} passed, {len(skipped)} skipped")
    for line in lines:
        print(line)
    if skips:
        print("\nSkipped:\n  " + "\n  ".join(skips))
    if failures:
        print("\nThe following tests FAILED:\n  " + "\n  ".join(failures))
    share = 100 * (total - len(failures)) // total if total else 0
    print(f"\n{share}% tests passed, {len(failures)} tests failed out of {total}")
    return 1 if failures or not total else 0


if __name__ == "__main__":
    sys.exit(main())
