"""Checks what promtool cannot know of the rules in deploy/prometheus: that what they ask for exists, that each alert says what it should, is
tested both ways, and has its runbook.

rules.py METRICS: the directory with pages of /metrics, if there is one.
"""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROMETHEUS = ROOT / "deploy/prometheus"
RUNBOOKS = ROOT / "docs/runbooks"
ADDRESS = "https://github.com/orgbridge/orgbridge/blob/main/docs/runbooks"
ANNOTATIONS = ("summary", "description", "runbook_url")
SEVERITIES = ("critical", "warning")

# Of Prometheus itself, of RabbitMQ's plugin rabbitmq_prometheus (its pages /metrics and /metrics/detailed), and of cAdvisor.
FOREIGN = {
    "up",
    "rabbitmq_alarms_free_disk_space_watermark", "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_detailed_queue_messages", "rabbitmq_detailed_queue_consumers",
    "container_memory_working_set_bytes", "container_spec_memory_limit_bytes",
}  # fmt: skip

# What the library of metrics registers for the process.
PROCESS = ("cpu_seconds_total", "open_fds", "max_fds", "virtual_memory_bytes", "resident_memory_bytes", "start_time_seconds", "threads")


def ours():
    """The metrics that the code registers, with a name and a help in one call."""
    names = {f"orgbridge_process_{name}" for name in PROCESS}
    for path in [*ROOT.glob("crates/service/src/**/*.rs"), *ROOT.glob("services/*/src/**/*.rs")]:
        for maker, name in re.findall(r'(\w+)\(\s*"([a-z][a-z_]+)",\s*"[^"]+\."', path.read_text()):
            suffixes = ("_bucket", "_sum", "_count") if maker == "histogram" else ("",)
            names |= {f"orgbridge_{name}{suffix}" for suffix in suffixes}
    return names


def exported(directory):
    """Those on pages that were really answered. What never happened is not on them."""
    pages = (path.read_text() for path in directory.glob("*.prom"))
    return {name for page in pages for name in re.findall(r"^([a-z_:]+)[{ ]", page, re.MULTILINE)}


def asked(query):
    """The names of metrics in a query that promtool has read: what is left without texts, labels, durations and functions."""
    query = re.sub(r'"(?:[^"\\]|\\.)*"', "", query)
    query = re.sub(r"\{[^}]*\}|\[[^]]*\]", "", query)
    query = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", query)
    query = re.sub(r"\b(and|or|unless|bool|offset|group_left|group_right)\b", " ", query)
    return {name for name in re.findall(r"(?<![\w:.])[a-zA-Z_][\w:]*(?!\s*\(|[\w:])", query)}


def kebab(alert):
    """`OrgBridgeQueueDeep`: `queue-deep`"""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert.removeprefix("OrgBridge")).lower()


def read(directory):
    return {path: yaml.safe_load(path.read_text()) for path in sorted((PROMETHEUS / directory).glob("*.yaml"))}


def static_labels(rule):
    return {name: value for name, value in rule["labels"].items() if "{{" not in value}


RULES = [rule for file in read("rules").values() for group in file["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}
TESTS = [test for file in read("tests").values() for test in file["tests"]]


def sources(query):
    """The metrics that an expression goes by, also through what is recorded."""
    for name in asked(query):
        if name in RECORDED:
            yield from sources(RECORDED[name])
        else:
            yield name


def check_names(metrics):
    known = ours() | exported(metrics) | FOREIGN
    for rule in RULES:
        for name in sorted(asked(rule["expr"]) - RECORDED.keys() - known):
            yield f"{rule.get('alert') or rule['record']}: asks for {name}, which nobody has"


def check_texts(rule):
    labels, annotations = rule.get("labels", {}), rule.get("annotations", {})
    if not rule["alert"].startswith("OrgBridge"):
        yield "its name must begin with OrgBridge: others share this Prometheus"
    if labels.get("severity") not in SEVERITIES:
        yield f"severity must be one of {', '.join(SEVERITIES)}"
    for name in ANNOTATIONS:
        if not annotations.get(name):
            yield f"has no {name}"
    runbook = f"{kebab(rule['alert'])}.md"
    if annotations.get("runbook_url") != f"{ADDRESS}/{runbook}":
        yield f"its runbook_url must be {ADDRESS}/{runbook}"
    if not (RUNBOOKS / runbook).exists():
        yield f"docs/runbooks/{runbook} does not exist"


def check_tests(rule):
    """Each needs a test in which it fires and one in which it does not, though there is what it asks for."""
    fires = stays_quiet = False
    for test in TESTS:
        given = {re.match(r"[\w:]+", series["series"])[0] for series in test["input_series"]}
        if not given & set(sources(rule["expr"])):
            continue
        for case in test.get("alert_rule_test", []):
            if case["alertname"] != rule["alert"]:
                continue
            of_it = [one for one in case.get("exp_alerts", []) if static_labels(rule).items() <= one["exp_labels"].items()]
            fires |= bool(of_it)
            stays_quiet |= not of_it
    if not fires:
        yield "no test has it fire"
    if not stays_quiet:
        yield "no test has it stay quiet"


def check_runbooks():
    known = {f"{kebab(rule['alert'])}.md": rule for rule in ALERTS}
    index = (RUNBOOKS / "README.md").read_text()
    for path in sorted(RUNBOOKS.glob("*.md")):
        if path.name != "README.md" and path.name not in known:
            yield f"docs/runbooks/{path.name}: there is no such alert"
    for name, rule in known.items():
        line = re.search(rf"^\| \[{rule['alert']}\]\({re.escape(name)}\) \| ([a-z, ]+) \|", index, re.MULTILINE)
        severities = sorted({other["labels"]["severity"] for other in ALERTS if other["alert"] == rule["alert"]})
        if not line:
            yield f"docs/runbooks/README.md: has no line of {rule['alert']}"
        elif sorted(line[1].split(", ")) != severities:
            yield f"docs/runbooks/README.md: {rule['alert']} is {', '.join(severities)}"


def headings(page):
    """The anchors of a page, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def check_links():
    """By night nobody should follow a link that leads nowhere."""
    for page in [*sorted(RUNBOOKS.glob("*.md")), ROOT / "docs/operating/objectives.md"]:
        for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in headings(target)):
                yield f"{page.relative_to(ROOT)}: links to {path}{'#' * bool(anchor)}{anchor}, which is not there"


def problems(metrics):
    yield from check_names(metrics)
    for rule in ALERTS:
        for check in (check_texts, check_tests):
            for problem in check(rule):
                yield f"{rule['alert']} ({rule.get('labels', {}).get('severity')}): {problem}"
    yield from check_runbooks()
    yield from check_links()


found = list(problems(pathlib.Path(sys.argv[1])))
sys.exit("\n".join(f"prometheus: {problem}" for problem in found) or 0)
