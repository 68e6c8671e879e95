# SPDX-License-Identifier: MIT
"""The search for secrets in what graphgate leaves behind: logs and databases."""

import subprocess
from pathlib import Path

from fcgi_client import Program

import seen


def patterns(sim):
    """{what to look for: its kind}: the value, and of a long one also two parts, should it be cut or wrapped."""
    values = {**seen.VALUES, **{row["value"]: row["kind"] for row in sim.issued()}}
    wanted = {}
    for value, kind in values.items():
        # What a test made up of one letter is no secret.
        if len(set(value)) < 6:
            continue
        wanted[value] = kind
        if len(value) > 80:
            wanted |= {value[-32:]: kind, value[len(value) // 2:][:32]: kind}
    return {value: kind for value, kind in wanted.items() if len(value) >= seen.SHORTEST}


def found(wanted, *paths):
    """{file: the kinds of the secrets in it}, for files that hold any."""
    done = subprocess.run(["grep", "-aoHZF", "-f", "-", *map(str, paths)], input="\n".join(wanted).encode(),
                          capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    hits = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        path, _, value = line.partition("\0")
        hits.setdefault(path, set()).add((wanted.get(value, "?"), value[:6] + "…"))
    return hits


def logs_of(stacks):
    """Every log file of these stacks and of the workers that ran without a web server."""
    logs = set()
    for stack in stacks:
        logs |= {*stack.directory.rglob("*.log"), Path(stack.conf.get("LOG_TARGET", "").removeprefix("file:") or "/")}
    for program in Program.made:
        logs |= {program.log, Path(program.conf.get("LOG_TARGET", "").removeprefix("file:") or "/")}
    return {log for log in logs if log.is_file()}
