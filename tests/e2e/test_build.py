# SPDX-License-Identifier: MIT
"""How the programs were built, as checksec looks at it: what the compiler and the linker do against an exploit is in them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import BUILD

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("graphgate.fcgi", "graphgatectl")
WEAK = ("-no-pie", "-fno-pie", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-z", "norelro", "-z", "lazy", "-z", "execstack",
        "-Wl,-rpath,/tmp")
SOURCE = """
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) { char b[64]; strcpy(b, argv[argc - 1]); return puts(b) < 0; }
"""


def readelf(path, *flags):
    return subprocess.run(["readelf", "-W", *flags, str(path)], capture_output=True, text=True, check=True).stdout


def segments(path):
    """(type, flags) of each program header."""
    rows = re.findall(r"^ +(\w+) +0x\S+ +0x\S+ +0x\S+ +0x\S+ +0x\S+ ([RWE ]{3}) ", readelf(path, "-l"), re.M)
    return [(kind, flags.replace(" ", "")) for kind, flags in rows]


def is_pie(path):
    return re.search(r"Type: +DYN", readelf(path, "-h")) and re.search(r"Flags: .*\bPIE\b", readelf(path, "-d"))


def has_full_relro(path):
    return any(kind == "GNU_RELRO" for kind, _ in segments(path)) and re.search(r"BIND_NOW|Flags: .*\bNOW\b", readelf(path, "-d"))


def has_no_executable_stack(path):
    return ("GNU_STACK", "RW") in segments(path)


def has_no_writable_code(path):
    return any(kind == "LOAD" for kind, _ in segments(path)) and \
        not any("W" in flags and "E" in flags for _, flags in segments(path))


def symbols(path):
    return set(re.findall(r"UND (\w+)", readelf(path, "--dyn-syms")))


def has_stack_protector(path):
    return "__stack_chk_fail" in symbols(path)


def is_fortified(path):
    return len([name for name in symbols(path) if re.fullmatch(r"__\w+_chk", name)]) > 0


def has_no_library_path(path):
    return not re.search(r"\((?:RPATH|RUNPATH)\)", readelf(path, "-d"))


CHECKS = (is_pie, has_full_relro, has_no_executable_stack, has_no_writable_code, has_stack_protector, is_fortified,
          has_no_library_path)


def is_plain(path):
    """Neither a sanitizer nor gcov is in it: those builds leave the flags out."""
    return not any(re.match(r"__(asan|tsan|ubsan|gcov)_", name) for name in symbols(path)) and \
        "__gcov_init" not in readelf(path, "-s") and "libasan" not in readelf(path, "-d")


@pytest.fixture(scope="module")
def weak(tmp_path_factory):
    """A program built without any of it."""
    folder = tmp_path_factory.mktemp("weak")
    (folder / "weak.c").write_text(SOURCE, encoding="utf-8")
    subprocess.run([shutil.which("gcc") or "cc", "-w", "-O1", *WEAK, str(folder / "weak.c"), "-o", str(folder / "weak")],
                   check=True)
    return folder / "weak"


@pytest.mark.promise("attack/program", "The programs are PIE with full RELRO, NX stack, stack protector and FORTIFY, no RPATH")
@pytest.mark.no_server
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_programs_are_hardened(check, name):
    if not is_plain(BUILD / name):
        pytest.skip("a sanitizer's build, or one for coverage")
    assert check(BUILD / name)


@pytest.mark.parametrize("check", [c for c in CHECKS if c is not has_no_writable_code], ids=lambda check: check.__name__)
def test_a_weak_program_is_found_weak(check, weak):
    assert not check(weak)


@pytest.mark.promise("attack/input", "The long run of each fuzzer ended without a finding that is still open")
def test_every_parser_was_fuzzed(measured):
    rows = re.findall(r"^\| (\w+) \| ([\d,]+) \|.*\| (\d+) \|$", (ROOT / "tests/fuzz/RESULTS.md").read_text(encoding="utf-8"),
                      re.M)
    runs = {name: int(number.replace(",", "")) for name, number, _ in rows}
    assert {path.stem for path in (ROOT / "src/proto").glob("*.c")} | {"json", "fcgi"} <= set(runs)
    assert {path.stem.removeprefix("fuzz_") for path in (ROOT / "tests/fuzz").glob("fuzz_*.c")} == set(runs)
    assert all(int(findings) == 0 for _, _, findings in rows)
    measured(f"{len(runs)} fuzzers, {sum(runs.values()) / 1e6:.0f} million executions")
