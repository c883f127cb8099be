#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public header compiles alone, and all together in both orders, as C11 and as C++17, without a warning; and so do
the programs that docs/logging.md and docs/engine.md show.

usage: test_headers.py SOURCE C_COMPILER CXX_COMPILER
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDERS = ["src/base/include", "logger/include", "src/include"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def compile_text(command, suffix, text):
    """What the compiler has to say about the text."""
    with tempfile.NamedTemporaryFile("w", suffix=suffix) as file:
        file.write(text)
        file.flush()
        return subprocess.run([*command, "-fsyntax-only", file.name], capture_output=True, text=True).stderr


def programs(page, language):
    """The code blocks of a page that are whole programs."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), flags=re.S | re.M)
    return [block for block in blocks if re.search(r"^int main\(", block, flags=re.M)]


def main():
    source, cc, cxx = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    includes = [f"-I{source / folder}" for folder in FOLDERS]
    headers = sorted(p.name for folder in FOLDERS for p in (source / folder / "spur").glob("*.h"))
    groups = [[h] for h in headers] + [headers, headers[::-1]]
    bad = shown = 0
    for compiler, standard, suffix in ((cc, "-std=c11", ".c"), (cxx, "-std=c++17", ".cpp")):
        for group in groups:
            text = "".join(f"#include <spur/{h}>\n" for h in group) + "int main(void);\n"
            complaint = compile_text([compiler, standard, *WARNINGS, *includes], suffix, text)
            if complaint:
                bad += 1
                print(f"{' '.join(group)} as {standard[5:]}:\n{complaint}")
        for page in ("docs/logging.md", "docs/engine.md"):
            for text in programs(source / page, suffix[1:]):
                shown += 1
                complaint = compile_text([compiler, standard, *WARNINGS, *includes], suffix, text)
                if complaint:
                    bad += 1
                    print(f"{page} as {standard[5:]}:\n{complaint}")
    print(f"{len(headers)} headers, {shown} programs, {bad} complaints")
    return 1 if bad or not headers or shown < 3 else 0


if __name__ == "__main__":
    sys.exit(main())
