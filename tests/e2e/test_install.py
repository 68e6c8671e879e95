# SPDX-License-Identifier: MIT
"""What `make install` puts where, and what is generated for it: manual pages, bash's completion, units, samples."""

import os
import re
import stat
import subprocess

import pytest
from conftest import BUILD
from test_config import VALUES

from stack.stack import ROOT

PREFIX = "/usr/local"
DATA = f"{PREFIX}/share/graphgate"
PAGES = ("man1/graphgatectl.1", "man5/graphgate.conf.5", "man8/graphgate.fcgi.8")
EXPECTED = {
    "bin/graphgatectl", "libexec/graphgate.fcgi", *(f"share/man/{page}" for page in PAGES),
    "share/bash-completion/completions/graphgatectl", "share/graphgate/graphgate.conf.sample", "share/doc/graphgate/README.md", "share/doc/graphgate/SECURITY.md",
    *(f"share/graphgate/systemd/{name}" for name in ("graphgate.service", "graphgate.socket", "graphgate-maintain.service",
                                                     "graphgate-maintain.timer", "credentials.conf")),
    "share/graphgate/tmpfiles.d/graphgate.conf", "share/graphgate/sysusers.d/graphgate.conf", "share/graphgate/cron/graphgate",
    "share/graphgate/sql/grants.sql", "share/graphgate/httpd-conf/README.md", "share/graphgate/htdocs/index.html"}


def make(*words):
    done = subprocess.run(["make", "-s", "-C", str(BUILD), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def files_below(root):
    return {path for path in root.rglob("*") if not path.is_dir()}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root that it is installed below, by a person whose files nobody else may read."""
    place = tmp_path_factory.mktemp("root")
    before = os.umask(0o077)
    try:
        make("install", f"DESTDIR={place}", f"prefix={PREFIX}")
    finally:
        os.umask(before)
    return place


@pytest.fixture(scope="module")
def page(root):
    """page("graphgatectl.1"): its words, without what makes them bold."""
    def read(name):
        path = root / f"{PREFIX[1:]}/share/man/man{name[-1]}" / name
        done = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=500", str(path)], capture_output=True, text=True, check=True)
        return re.sub(".\b", "", done.stdout)
    return read


def test_what_is_installed(root):
    there = {path.relative_to(root / PREFIX[1:]).as_posix() for path in files_below(root)}
    assert EXPECTED <= there
    pages = {f"share/doc/graphgate/docs/{path.name}" for end in ("*.md", "*.yaml", "*.png") for path in (ROOT / "docs").glob(end)}
    assert len(pages) > 12 and pages <= there
    assert all(name.split("/")[0] in ("bin", "libexec", "share") for name in there), "etc is the site's own"
    assert {path.name for path in (ROOT / "sql").glob("*.sql")} == {path.name for path in (root / DATA[1:] / "sql").iterdir()}
    assert {path.name for path in (ROOT / "htdocs").iterdir()} == {path.name for path in (root / DATA[1:] / "htdocs").iterdir()}


def test_the_links_of_the_readme(root):
    """What README.md leads to is beside it, as it is in the source."""
    place = root / PREFIX[1:] / "share/doc/graphgate"
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)", (place / "README.md").read_text(encoding="utf-8")))
    assert {"HACKING.md", "httpd-conf/README.md", "tests/sim/README.md", "docs/README.md"} <= links
    assert [link for link in sorted(links) if not (place / link).is_file()] == []
    assert {path.name for path in (ROOT / "httpd-conf").iterdir()} == {path.name for path in (place / "httpd-conf").iterdir()}


def test_everybody_may_read_it_and_nobody_change_it(root):
    for path in files_below(root):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o755 if path.parent.name in ("bin", "libexec") else 0o644), (path, oct(mode))


def test_no_place_is_left_to_fill_in(root):
    for path in files_below(root / "usr/local/share/man") | files_below(root / DATA[1:]):
        left = re.findall(r"@(?:[A-Z]+|[a-z]+dir)@", path.read_text(encoding="utf-8"))
        assert not left or path.name == "grants.sql", (path, left)
    units = root / DATA[1:] / "systemd"
    assert f"ExecStart={PREFIX}/libexec/graphgate.fcgi " in (units / "graphgate.service").read_text()
    assert f"ExecStart={PREFIX}/bin/graphgatectl maintain" in (units / "graphgate-maintain.service").read_text()


def test_where_a_distribution_wants_them(tmp_path):
    """The places of units, tmpfiles and sysusers are settings of their own."""
    make("install-data", f"DESTDIR={tmp_path}", f"prefix={PREFIX}", "systemdsystemunitdir=/lib/systemd/system",
         "tmpfilesdir=/usr/lib/tmpfiles.d", "sysusersdir=/usr/lib/sysusers.d")
    for name in ("lib/systemd/system/graphgate.service", "lib/systemd/system/graphgate-maintain.timer",
                 "usr/lib/tmpfiles.d/graphgate.conf", "usr/lib/sysusers.d/graphgate.conf"):
        assert (tmp_path / name).is_file()


def test_uninstall_leaves_no_file(tmp_path):
    where = f"DESTDIR={tmp_path}", f"prefix={PREFIX}"
    make("install", *where)
    mine = tmp_path / "usr/local/etc/graphgate/graphgate.conf"
    mine.parent.mkdir(parents=True)
    mine.write_text("MSCLIENTID=mine\n")
    make("install", *where)
    assert mine.read_text() == "MSCLIENTID=mine\n"
    make("uninstall", *where)
    assert files_below(tmp_path) == {mine}


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_have_no_fault(root, name):
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(root / PREFIX[1:] / "share/man" / name)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout == "", done.stdout


def test_every_setting_is_in_its_page(page, stack):
    text = page("graphgate.conf.5")
    for name in VALUES:
        assert re.search(rf"^ +{name}$", text, re.M), name
    for row in stack.ctl("options", "--markdown").stdout.splitlines()[2:]:
        meaning = re.sub(r"[`\\]", "", row.split(" | ", 2)[2].removesuffix(" |"))
        assert meaning in text, meaning


def usages(stack):
    """Every command, or command and verb, with what may follow it: from --help."""
    top = stack.ctl("--help").stdout
    for command in re.findall(r"^  ([\w-]+) ", top, re.M):
        for line in re.findall(r"graphgatectl (.*)", stack.ctl(command, "--help").stdout.split("\n\n")[0]):
            yield line


def test_every_command_is_in_its_page(page, stack):
    text = page("graphgatectl.1")
    lines = list(usages(stack))
    assert len(lines) > 9
    for line in lines:
        assert re.search(rf"^ +graphgatectl {re.escape(line)}$", text, re.M), line
    assert "Also called graphgatectl doctor." in text


def test_every_option_of_the_worker_is_in_its_page(page):
    source = (ROOT / "src/app/main.c").read_text(encoding="utf-8")
    names = re.findall(r'^ +\{"([\w-]+)", (?:no|required)_argument', source, re.M)
    text = page("graphgate.fcgi.8")
    assert len(names) > 4 and all(re.search(rf"^ +(--\w+, )?--{name}\b", text, re.M) for name in names)


def completed(root, *words):
    """What bash offers behind these words, the last of which is unfinished."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _graphgatectl; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-uc", script, "bash", str(root / PREFIX[1:] / "share/bash-completion/completions/graphgatectl"),
                           "graphgatectl", *words], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_completion_by_hand(root):
    assert {"migrate", "jwt", "--help", "--version"} <= completed(root, "")
    assert completed(root, "mi") == {"migrate"}
    assert completed(root, "migrate", "") == {"--status", "--limits-engine", "--help"}
    assert completed(root, "jwt", "") == {"sign", "verify", "--help"}
    assert completed(root, "jwt", "sign", "--sub", "42", "--t") == {"--type", "--ttl"}
    assert completed(root, "nonsense", "x") == set()
    assert completed(root, "do") == {"doctor"} and completed(root, "doctor", "") == {"--help"}


def test_completion_of_values(root, stack):
    """Of every option whose usage names the words that it takes; of the others the options go on."""
    seen = set()
    for line in usages(stack):
        words = re.match(r"[a-z][\w-]*(?: [a-z][\w-]*(?= |$))?", line)[0].split(" ")
        for option, values in re.findall(r"(--[a-z-]+) ([a-z-]+(?:\|[a-z-]+)+)", line):
            assert completed(root, *words, option, "") == set(values.split("|")), line
            assert completed(root, *words, option, values[:2]) == {values.split("|")[0]}
            seen.add(option)
    assert seen == {"--realm", "--state", "--type", "--identity", "--limits-engine"}
    assert completed(root, "tokens", "list", "--realm", "beta", "--st") == {"--state"}


def test_completion_knows_every_command(root, stack):
    seen = 0
    for line in usages(stack):
        words = [word for word in re.match(r"([a-z][\w-]*(?: [a-z][\w-]*(?= |$))?)", line)[1].split(" ")]
        for i, word in enumerate(words):
            assert word in completed(root, *words[:i], word[:-1])
        options = set(re.findall(r"--[\w-]+", line)) | {"--help"}
        assert completed(root, *words, "-") == options
        seen += len(options)
    assert seen > 12


def test_every_option_that_a_command_takes_is_in_its_usage(root):
    """The usage lines are prose; what getopt is given decides."""
    offered = (root / PREFIX[1:] / "share/bash-completion/completions/graphgatectl").read_text()
    taken = {}
    for path in (ROOT / "src/ctl").glob("*.c"):
        text = path.read_text(encoding="utf-8")
        for table in re.findall(r"struct gg_ctl_flag \w+\[\] = \{(.*?)\n    \};", text, re.S):
            taken.update((name, path.name) for name in re.findall(r'\{\s*(?:\.name = )?"([\w-]+)"', table))
    assert {"sub", "ttl"} <= set(taken)
    for name, where in taken.items():
        assert re.search(rf"--{name}\b", offered), f"{where}: --{name} is in no usage"


def test_completion_is_found_by_bash_completion(root):
    """As a person's shell loads it: by the command's name, from the directory of the system's data."""
    script = ('source /usr/share/bash-completion/bash_completion; __load_completion graphgatectl; complete -p graphgatectl')
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "XDG_DATA_DIRS": str(root / PREFIX[1:] / "share")})
    assert done.stdout.strip() == "complete -o default -F _graphgatectl graphgatectl", done.stderr


def test_account_and_directory(root, tmp_path):
    """systemd itself makes of the two samples an account without a login and a directory of its own."""
    (tmp_path / "etc").mkdir()
    for tool, name in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
        if tool == "systemd-tmpfiles" and os.geteuid() != 0:
            continue
        sample = root / DATA[1:] / name / "graphgate.conf"
        done = subprocess.run([tool, f"--root={tmp_path}", *(["--create"] if tool == "systemd-tmpfiles" else []), str(sample)],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    fields = (tmp_path / "etc/passwd").read_text().strip().split(":")
    assert fields[0] == "graphgate" and fields[-1] == "/usr/sbin/nologin" and int(fields[2]) > 0
    if os.geteuid() == 0:
        made = (tmp_path / "run/graphgate").stat()
        assert stat.S_IMODE(made.st_mode) == 0o750 and made.st_uid == int(fields[2])


def test_the_line_for_cron(root):
    """Five times, an account, a command that is there."""
    lines = [line for line in (root / DATA[1:] / "cron/graphgate").read_text().splitlines() if not line.startswith("#")]
    (line,) = lines
    assert re.fullmatch(rf"\d+ \* \* \* \* graphgate {PREFIX}/bin/graphgatectl maintain", line)
