#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libspur-log builds and installs alone and is found by outside programs in C and in C++17; the engine, as it was built.

usage: test_install.py SOURCE WORK_FOLDER [CMAKE [BUILD_FOLDER_WITH_THE_ENGINE]]

Once as a static and once as a shared library; through find_package(spur), pkg-config and add_subdirectory.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

source = work = engine = None
cmake = "cmake"
HEADERS = {"status.h", "log.h", "events.h"}


def run(*command, **options):
    """Runs a command and returns what it printed; its failure is the test's."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def configure(at, folder, *options, targets=("all",)):
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    run(cmake, "-S", at, "-B", folder, *generator, "-DCMAKE_BUILD_TYPE=Release", *options)
    run(cmake, "--build", folder, "--parallel", "--target", *targets)


class Install(unittest.TestCase):
    def installed(self, shared):
        """The prefix with the logger alone, built on first use."""
        name = "shared" if shared else "static"
        prefix = work / f"prefix-{name}"
        if not prefix.exists():
            build = work / f"build-{name}"
            configure(source, build, "-DSPUR_NN=OFF", "-DSPUR_TRAINER=OFF", "-DSPUR_TESTS=OFF",
                      "-DSPUR_EXAMPLES=OFF", "-DSPUR_BENCH=OFF", f"-DBUILD_SHARED_LIBS={'ON' if shared else 'OFF'}",
                      "-DCMAKE_INSTALL_LIBDIR=lib")
            run(cmake, "--install", build, "--prefix", prefix)  # not the one that it was configured with
        return prefix

    def try_program(self, program, name, libraries=None):
        directory = work / "logs" / name
        environment = dict(os.environ, LD_LIBRARY_PATH=str(libraries)) if libraries else None
        shutil.rmtree(directory, ignore_errors=True)
        self.assertIn("10 points", run(program, directory, env=environment))
        self.assertEqual(len(list(directory.glob("events.out.tfevents.*"))), 1)

    def check_find_package(self, shared):
        prefix = self.installed(shared)
        folder = work / f"consumer-{'shared' if shared else 'static'}"
        configure(source / "tests/install/consumer", folder, f"-DCMAKE_PREFIX_PATH={prefix}")
        for language in ("c", "cpp"):
            self.try_program(folder / f"consumer_{language}", f"{folder.name}-{language}")

    def check_pkg_config(self, shared):
        prefix = self.installed(shared)
        environment = dict(os.environ, PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"))
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "spur-log", env=environment))
        self.assertEqual(run("pkg-config", "--modversion", "spur-log", env=environment).strip(), self.version())
        for compiler, file, standard in (("cc", "main.c", "c11"), ("c++", "main.cpp", "c++17")):
            program = work / f"pkg-{'shared' if shared else 'static'}-{compiler}"
            run(compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror",
                source / "tests/install/consumer" / file, *flags, "-o", program)
            self.try_program(program, program.name, prefix / "lib")

    def installed_engine(self):
        """The engine as it was built here, installed."""
        if not engine:
            self.skipTest("a build without the engine")
        prefix = work / "prefix-engine"
        if not prefix.exists():
            run(cmake, "--install", engine, "--prefix", prefix)
        return prefix

    def test_engine_by_pkg_config(self):
        (folder,) = self.installed_engine().rglob("pkgconfig")
        environment = dict(os.environ, PKG_CONFIG_PATH=str(folder), LD_LIBRARY_PATH=str(folder.parent))
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "spur-nn", "spur-log", env=environment))
        program = work / "engine"
        run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", source / "tests/install/consumer/engine.c", *flags,
            "-o", program)
        self.assertEqual(run(program, env=environment), "loss falls\n")

    def test_engine_in_a_project_of_cxx_alone(self):
        folder = work / "consumer-engine"
        configure(source / "tests/install/consumer/engine_cxx", folder, f"-DCMAKE_PREFIX_PATH={self.installed_engine()}")
        self.assertEqual(run(folder / "engine_cxx"), "spur_net is there\n")

    def version(self):
        return re.search(r"project\(spur VERSION ([\d.]+)", (source / "CMakeLists.txt").read_text()).group(1)

    def test_find_package_static(self):
        self.check_find_package(False)

    def test_find_package_shared(self):
        self.check_find_package(True)

    def test_pkg_config_static(self):
        self.check_pkg_config(False)

    def test_pkg_config_shared(self):
        self.check_pkg_config(True)

    def test_add_subdirectory(self):
        folder = work / "consumer-subdirectory"
        configure(source / "tests/install/consumer", folder, f"-DSPUR_SOURCE={source}", "-DCMAKE_C_STANDARD=99",
                  "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror", "-DBUILD_SHARED_LIBS=ON")
        self.assertEqual(list(folder.rglob("*_inside.a")), [], "built for nobody")
        for language in ("c", "cpp"):
            self.try_program(folder / f"consumer_{language}", f"subdirectory-{language}")

    def test_only_our_headers(self):
        found = {p.relative_to(self.installed(False) / "include").as_posix()
                 for p in (self.installed(False) / "include").rglob("*") if p.is_file()}
        self.assertEqual(found, {f"spur/{h}" for h in HEADERS})

    def test_only_our_names(self):
        """The shared library exports spur_ names only, and needs neither OpenBLAS nor OpenMP."""
        library = self.installed(True) / "lib/libspur-log.so"
        names = {line.split()[-1].split("@")[0]
                 for line in run("nm", "-D", "--defined-only", library).splitlines()}
        self.assertEqual({n for n in names if not n.startswith("spur_")}, set())
        self.assertEqual({n for n in names if n.startswith("spur__")}, set())
        self.assertIn("spur_log_scalar", names)
        needed = re.findall(r"NEEDED.*\[(.*?)\]", run("readelf", "-d", library))
        for name in needed:
            self.assertNotRegex(name, "blas|omp|lapack")

    def test_shared_needs_nothing(self):
        """Whoever links the shared library finds no static part of it, and looks for no library that is inside."""
        prefix = self.installed(True)
        self.assertEqual(list(prefix.rglob("*.a")), [])
        self.assertNotRegex((prefix / "lib/pkgconfig/spur-log.pc").read_text(), "png|protobuf|spur-base")
        self.assertEqual(os.readlink(prefix / "lib/libspur-log.so"),
                         "libspur-log.so." + ".".join(self.version().split(".")[:2]))

    def test_tests_of_a_shared_build(self):
        """What looks inside (as the program does, too) is built where the shared library hides it."""
        folder = work / "build-inside"
        configure(source, folder, "-DSPUR_NN=OFF", "-DSPUR_TRAINER=OFF", "-DSPUR_EXAMPLES=OFF", "-DSPUR_BENCH=OFF",
                  "-DBUILD_SHARED_LIBS=ON", targets=["unit_logger_json"])
        run(folder / "tests/unit_logger_json")

    def test_static_names_stay_in_the_prefix(self):
        """So that a host program may have its own copies of the TensorBoard messages."""
        library = self.installed(False) / "lib"
        for archive in library.glob("*.a"):
            names = {line.split()[-1] for line in run("nm", "-g", "--defined-only", archive).splitlines()
                     if len(line.split()) == 3}
            self.assertEqual({n for n in names if not n.startswith("spur_")}, set(), archive.name)


if __name__ == "__main__":
    source, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    cmake = sys.argv[3] if len(sys.argv) > 3 else cmake
    engine = sys.argv[4] if len(sys.argv) > 4 else None
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    unittest.main(argv=sys.argv[:1], verbosity=2)
