#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public header compiles alone, and all together in both orders, as C11 and as C++17, without a warning; and so does
what the pages under docs/ show: whole programs, and pieces of C once what they stand among is declared.

usage: test_headers.py SOURCE C_COMPILER CXX_COMPILER
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDERS = ["src/base/include", "logger/include", "src/include"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
# What the pieces of a page use without saying where it comes from.
AROUND = {
    "docs/logging.md": ("log.h", "spur_writer *log, *train; spur_writer_position at, at_train; spur_error err; float *w;"
                                 "void *data; int64_t step, epoch; double a, b, loss, value; size_t n, count; spur_log_bucket *buckets;"
                                 "const char *run;"),
    "docs/reading.md": ("events.h", "spur_run *run; spur_event event; spur_error err; spur_status status; spur_histogram h;"),
    "docs/data.md": ("data.h", "void step(const float *input, const int32_t *labels, size_t count);"),
}


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


def pieces(page, header, declared):
    """The other blocks of C, each as a program; "..." stands for what a reader fills in."""
    for block in re.findall(r"^```c\n(.*?)^```$", page.read_text(), flags=re.S | re.M):
        if re.search(r"^int main\(", block, flags=re.M):
            continue
        includes = "".join(re.findall(r"^#include .*\n", block, flags=re.M))
        body = re.sub(r"^#include .*\n|^\.\.\.$", "", block, flags=re.M).replace(") ...", ") return 1;")
        yield (f"#include <stdio.h>\n#include <spur/{header}>\n{includes}"
               f"int main(void) {{\n{declared}\n{{\n{body}}}\nreturn 0;\n}}\n")


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
        for page in ("docs/logging.md", "docs/engine.md", "docs/reading.md", "docs/data.md"):
            whole = programs(source / page, suffix[1:])
            parts = list(pieces(source / page, *AROUND[page])) if page in AROUND and suffix == ".c" else []
            for text in whole + parts:
                shown += 1
                lenient = ["-Wno-shadow", "-Wno-unused", "-Wno-uninitialized"] if text in parts else []
                complaint = compile_text([compiler, standard, *WARNINGS, *lenient, *includes], suffix, text)
                if complaint:
                    bad += 1
                    print(f"{page} as {standard[5:]}:\n{complaint}")
    print(f"{len(headers)} headers, {shown} programs, {bad} complaints")
    return 1 if bad or not headers or shown < 17 else 0


if __name__ == "__main__":
    sys.exit(main())
