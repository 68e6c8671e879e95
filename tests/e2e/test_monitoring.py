# SPDX-License-Identifier: MIT
"""monitoring/ and docs/monitoring.md: every alert fires and stays silent when it should, and all names are the program's."""

import json
import re
import subprocess

import pytest
import yaml
from conftest import Person
from fcgi_client import direct
from metrics import AUTHORIZATION, TOKEN, parse

from stack.smoke import REALMS
from stack.stack import ROOT

MONITORING, GUIDE = ROOT / "monitoring", ROOT / "docs" / "monitoring.md"
# A metric in PromQL, with its selector.
USED = re.compile(r"(?<![\w:])(graphgate_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
# What Prometheus adds to every sample.
ADDED = {"instance", "job"}


@pytest.fixture(scope="module")
def exposition(make_stack, tmp_path_factory):
    """The text of /metrics of a program that has done something of everything that has labels of its own."""
    from fcgi_client import Program  # pylint: disable=import-outside-toplevel
    worker = Program(make_stack(), tmp_path_factory.mktemp("m"), (), {"METRICS_TOKEN": TOKEN, "MSCLIENTSECRET_EXPIRES": "2030-01-31"})
    worker.start()
    try:
        someone = direct(Person, worker, REALMS[0]).connect()
        assert someone.cal("GET").status == 200
        return worker.ask("GET", "/metrics", AUTHORIZATION).body
    finally:
        worker.stop()


@pytest.fixture(scope="module")
def families(exposition):
    """{name: (type, help)} as the program tells them."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", exposition, re.M))
    return {name: (types[name], text) for name, text in re.findall(r"^# HELP (\S+) (.*)$", exposition, re.M)}


@pytest.fixture(scope="module")
def labels(exposition):
    """{sample's name: {label: the words seen}}."""
    found = {}
    for (name, pairs), _ in parse(exposition).items():
        own = found.setdefault(f"graphgate_{name}", {})
        for label, word in pairs:
            own.setdefault(label, set()).add(word)
    return found


def rules():
    """Alerts and recording rules."""
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries():
    """(where, PromQL) of the rules, the dashboard and the guide."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"dashboard: {panel['title']}", target["expr"]
    for name, text in re.findall(r"^\| ([a-zA-Z ]+) \| `(.*)` \|$", GUIDE.read_text(encoding="utf-8"), re.M):
        yield f"guide: {name}", text.replace("\\|", "|")


def promtool(*words):
    """Its output; it must be content."""
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("where, query", [pytest.param(*pair, id=pair[0]) for pair in queries()])
def test_every_query_is_of_our_metrics(families, labels, where, query):
    """The names, the labels and the words that it chooses by are those of the program."""
    if query == 'up{job="graphgate"} == 0':   # Prometheus's own, of the job that the document names
        assert re.search(r"^ *- job_name: graphgate\b", GUIDE.read_text(encoding="utf-8"), re.M)
        return
    used, recorded = USED.findall(query), set(re.findall(r"graphgate:[\w:]+", query))
    assert (used or recorded) and recorded <= {rule.get("record") for rule in rules()}, where
    for name, selector in used:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in families and families[name][0] != "histogram" or families.get(family, ("",))[0] == "histogram", name
        for label, how, word in MATCHER.findall(selector):
            words = labels[name].get(label, set())
            assert label in ADDED or words, f"{name} has no label {label}"
            if how in ("=", "=~") and label not in ADDED | {"route", "status"}:
                assert all(any(re.fullmatch(one, known) for known in words) for one in word.split("|")), (name, label, word)
    for grouped in re.findall(r"by \(([^)]*)\)", query):
        known = {label for name, _ in used for label in labels[name]} | ADDED
        assert set(re.findall(r"\w+", grouped)) <= known, grouped


def test_promtool_takes_the_rules_and_every_query(tmp_path):
    promtool("check", "rules", MONITORING / "alerts.yml")
    names = [{"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m")}
             for number, (_, query) in enumerate(queries())]
    (tmp_path / "all.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": names}]}))
    assert f"{len(names)} rules found" in promtool("check", "rules", tmp_path / "all.yml")


def test_every_alert_fires_and_stays_silent():
    """By Prometheus's own means; alerts_test.yml has both cases for each."""
    promtool("test", "rules", MONITORING / "alerts_test.yml")
    cases = yaml.safe_load((MONITORING / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    tried = {(case["alert_rule_test"][0]["alertname"], bool(case["alert_rule_test"][0]["exp_alerts"])) for case in cases}
    alerts = {rule["alert"] for rule in rules() if "alert" in rule}
    assert tried == {(alert, fires) for alert in alerts for fires in (True, False)}
    assert all(rule["labels"]["severity"] in ("warning", "critical") for rule in rules() if "alert" in rule)


@pytest.mark.parametrize("broken", ["> 0.25", "flow=~", "for: 5m"])
def test_the_alerts_tests_see_a_broken_alert(tmp_path, broken):
    """A rule that never fires, or always, fails them."""
    other = {"> 0.25": "> 9", "flow=~": "flow!~", "for: 5m": "for: 5h"}[broken]
    text = (MONITORING / "alerts.yml").read_text(encoding="utf-8")
    assert broken in text
    (tmp_path / "alerts.yml").write_text(text.replace(broken, other))
    (tmp_path / "alerts_test.yml").write_text((MONITORING / "alerts_test.yml").read_text())
    done = subprocess.run(["promtool", "test", "rules", tmp_path / "alerts_test.yml"], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "FAILED" in done.stdout + done.stderr


def test_the_guide_lists_the_metrics(families, labels):
    """Each once, with its labels and the program's own words for it."""
    table = re.search(r"<!-- metrics -->\n(.*?)<!-- /metrics -->", GUIDE.read_text(encoding="utf-8"), re.S)[1]
    listed = {name: (names, text) for name, names, text in re.findall(r"^\| `(\w+)` \| (.*?) \| (.*) \|$", table, re.M)}
    wanted = {}
    for name, (kind, text) in families.items():
        own = labels.get(f"{name}_count" if kind == "histogram" else name, {})
        wanted[name] = (sorted(own), text)
    assert {name: (sorted(re.findall(r"\w+", names)), text) for name, (names, text) in listed.items()} == wanted


def test_the_guide_lists_the_alerts():
    table = re.search(r"<!-- alerts -->\n(.*?)<!-- /alerts -->", GUIDE.read_text(encoding="utf-8"), re.S)[1]
    assert re.findall(r"`(Graphgate\w+)`", table) == [rule["alert"] for rule in rules() if "alert" in rule]


def test_the_four_of_the_guide_are_there_by_name():
    names = [where.removeprefix("guide: ") for where, _ in queries() if where.startswith("guide: ")]
    assert names == ["token refresh rate", "authentication success rate", "calendar API latency", "token storage errors"]
    panels = [panel["title"].lower() for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]]
    assert panels[1:5] == [name.lower() for name in names]


def test_the_dashboard_is_whole():
    """Every panel has its place and a query, and takes the source of data that Grafana asks for."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["type"] == "row" or panel["targets"] and panel["datasource"]["uid"] == "${datasource}"
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
