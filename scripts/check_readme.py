#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The README shows the INI file as it is, and the links in it and in docs/*.md lead to files.

usage: check_readme.py [ROOT]
"""
import re
import sys
from pathlib import Path


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.S | re.M)


def check_ini(root, text):
    file = (root / "examples/buildings.ini").read_text()
    if file[file.index("[run]"):] not in blocks(text, "ini"):
        yield "README.md: the INI file is not examples/buildings.ini"


def check_links(root):
    for page in [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md"))]:
        text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.S | re.M)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if not re.match(r"\w+:", target) and not (page.parent / target).exists():
                yield f"{page.relative_to(root)}: no file {target}"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    text = (root / "README.md").read_text()
    problems = [*check_ini(root, text), *check_links(root)]
    print("\n".join(problems) if problems else "the README is true")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
