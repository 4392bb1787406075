"""Checks the dashboards of deploy/grafana: the 17 rules of grafana/dashboard-linter, and ours.

The linter's rules have its names here. Where it looks at some kinds of panels only, these look at all of them; what it warns of is an
error. `target-logql-rule` and `target-logql-auto-rule` speak of Loki, which no dashboard may use: they hold while that is so. Exceptions
are in dashboards/.lint, the linter's own file for them, and each must be needed.

dashboard_rules.py PROMTOOL DIRECTORY
"""

import inspect
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from datetime import timedelta

import promql_parser as promql

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "deploy/grafana"))

from panels import REPOSITORY, filled, targets  # noqa: E402

PROMTOOL = sys.argv[1]
DIRECTORY = pathlib.Path(sys.argv[2])

# What stands for Grafana's own variables. No query can mean the first by chance.
RATE_INTERVAL = timedelta(seconds=7919)
SAMPLES = {"__rate_interval": "7919s", "__range": "6h", "__interval": "15s"}

# Those of Grafana's units that may be used.
UNITS = {
    "none", "short", "percent", "percentunit", "bytes", "Bps", "s", "ms", "dtdurations", "reqps", "cps", "ops", "bool", "bool_yes_no",
    "dateTimeAsIso", "dateTimeFromNow",
}


# --- What the rules go by.


def metrics():
    """The names that Prometheus has: its own, those that our code registers with a name and a help, and those of processes."""
    names = {"up", "ALERTS"}
    for path in [*ROOT.glob("crates/service/src/**/*.rs"), *ROOT.glob("services/*/src/**/*.rs")]:
        for maker, name in re.findall(r'(\w+)\(\s*"([a-z][a-z_]+)",\s*"[^"]+\."', path.read_text()):
            suffixes = ("_bucket", "_sum", "_count") if maker == "histogram" else ("",)
            names |= {f"orgbridge_{name}{suffix}" for suffix in suffixes}
    for name in ("cpu_seconds_total", "open_fds", "max_fds", "virtual_memory_bytes", "resident_memory_bytes", "start_time_seconds", "threads"):
        names.add(f"orgbridge_process_{name}")
    return names


def refused(queries):
    """Which of the queries Prometheus' own parser refuses, and why: each as the expression of a recording rule, in a group of its own."""
    groups = [{"name": str(number), "rules": [{"record": f"query:{number}", "expr": query}]} for number, query in enumerate(queries)]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump({"groups": groups}, file)
        file.flush()
        ran = subprocess.run([PROMTOOL, "check", "rules", file.name], capture_output=True, text=True)
    said = ran.stdout + ran.stderr
    found = {queries[int(number)]: why for number, why in re.findall(r'group "(\d+)".*?could not parse expression: (.*)', said)}
    if ran.returncode and not found:
        sys.exit(f"dashboards: promtool: {said}")
    return found


BOARDS = [json.loads(path.read_text()) for path in sorted(DIRECTORY.glob("*.json"))]
UIDS = [board["uid"] for board in BOARDS]
METRICS = metrics()
REFUSED = refused(sorted({filled(target["expr"], SAMPLES) for board in BOARDS for _, target in targets(board)}))
RULES = []


def rule(check):
    """A rule about a dashboard, each of its panels, or each of their targets, as its parameters say. It yields what is wrong."""
    RULES.append(check)
    return check


def variables(board, kind):
    return [variable for variable in board["templating"]["list"] if variable["type"] == kind]


def is_templated(board, datasource):
    return datasource["uid"] in {f"${{{variable['name']}}}" for variable in variables(board, "datasource")}


def parsed(query):
    """The query as a tree, or none: that it is none is another rule's matter."""
    try:
        return promql.parse(filled(query, SAMPLES))
    except ValueError:
        return None


def walk(node, parents=()):
    """Every node of a query, with those above it."""
    if node is None:
        return
    yield node, parents
    children = ("lhs", "rhs", "expr", "param", "vector_selector")
    below = [getattr(node, name, None) for name in children] + list(getattr(node, "args", None) or [])
    for child in below:
        yield from walk(child, (*parents, node))


def selectors(query):
    return [node for node, _ in walk(parsed(query)) if isinstance(node, promql.VectorSelector)]


def of_loki(board, target):
    return target["datasource"]["type"] == "loki" or any(variable["query"] == "loki" for variable in variables(board, "datasource"))


# --- The 17.


@rule
def template_datasource_rule(board):
    found = variables(board, "datasource")
    if not found:
        yield "has no data source variable"
    for variable in found:
        if (variable["name"], variable["label"]) != ("datasource", "Data source"):
            yield f"the data source variable must be `datasource`, with the label `Data source`, not {variable['name']}, {variable['label']}"


def template_matcher(board, name):
    variable = next((variable for variable in variables(board, "query") if variable["name"] == name), None)
    if variable is None:
        yield f"has no variable {name} that is a query"
        return
    if not is_templated(board, variable["datasource"]):
        yield f"variable {name} does not ask ${{datasource}}"
    if variable["label"] != name.title():
        yield f"variable {name} must have the label {name.title()}"
    if not variable["multi"]:
        yield f"variable {name} must be a multiple choice"
    if variable["allValue"] != ".+":
        yield f"all values of variable {name} must be `.+`, not `{variable['allValue']}`"


@rule
def template_job_rule(board):
    yield from template_matcher(board, "job")


@rule
def template_instance_rule(board):
    yield from template_matcher(board, "instance")


@rule
def template_label_promql_rule(board):
    for variable in variables(board, "query"):
        form = re.fullmatch(r"label_values\((.+), \w+\)", variable["query"]["query"])
        if not form or not isinstance(parsed(form[1]), promql.VectorSelector):
            yield f"variable {variable['name']} is not the values of a label: {variable['query']['query']}"


@rule
def template_on_time_change_reload_rule(board):
    for variable in variables(board, "query"):
        if variable["refresh"] != 2:
            yield f"variable {variable['name']} must be asked again when the time changes (refresh 2)"


@rule
def panel_datasource_rule(board, panel):
    if not is_templated(board, panel["datasource"]):
        yield f"does not ask ${{datasource}} but {panel['datasource']['uid']}"


@rule
def panel_title_description_rule(board, panel):
    if not panel.get("title") or not panel.get("description"):
        yield "has no title or no description"


@rule
def panel_units_rule(board, panel):
    unit = panel["fieldConfig"]["defaults"].get("unit")
    if unit not in UNITS:
        yield f"has no unit, or one that this check does not know: {unit}"


@rule
def panel_no_targets_rule(board, panel):
    if not panel.get("targets"):
        yield "asks nothing"


@rule
def target_logql_rule(board, panel, target):
    if of_loki(board, target):
        yield "asks Loki, whose queries cannot be checked here"


@rule
def target_logql_auto_rule(board, panel, target):
    if of_loki(board, target):
        yield "asks Loki, whose ranges cannot be checked here"


@rule
def target_promql_rule(board, panel, target):
    why = REFUSED.get(filled(target["expr"], SAMPLES))
    if why or parsed(target["expr"]) is None:
        yield f"is no PromQL: {target['expr']}: {why}"


@rule
def target_rate_interval_rule(board, panel, target):
    for node, parents in walk(parsed(target["expr"])):
        if isinstance(node, promql.MatrixSelector) and node.range != RATE_INTERVAL and parents[-1].func.name in ("rate", "irate"):
            yield f"a rate must be over $__rate_interval: {node.prettify()}"


def target_matcher(target, name):
    for selector in selectors(target["expr"]):
        matchers = [(matcher.name, matcher.op, matcher.value) for matcher in selector.matchers.matchers]
        if (name, promql.MatchOp.Re, f"${name}") not in matchers:
            yield f'{selector.name} is asked without {name}=~"${name}"'


@rule
def target_job_rule(board, panel, target):
    yield from target_matcher(target, "job")


@rule
def target_instance_rule(board, panel, target):
    yield from target_matcher(target, "instance")


@rule
def target_counter_agg_rule(board, panel, target):
    for node, parents in walk(parsed(target["expr"])):
        if isinstance(node, promql.VectorSelector) and (node.name or "").endswith("_total"):
            called = parents[-2].func.name if len(parents) > 1 and isinstance(parents[-2], promql.Call) else None
            if called not in ("rate", "irate", "increase"):
                yield f"{node.name} is a counter, of which only rate, irate and increase mean something"


@rule
def uneditable_dashboard(board):
    if board["editable"]:
        yield "is editable"


assert len(RULES) == 17

# --- Ours.


@rule
def known_metrics(board, panel, target):
    for selector in selectors(target["expr"]):
        if selector.name not in METRICS:
            yield f"asks for {selector.name}, which nobody has"


@rule
def known_variables(board):
    """A variable that does not exist is sent to Prometheus as its name."""
    known = {variable["name"] for variable in board["templating"]["list"]} | SAMPLES.keys()
    for panel, target in targets(board):
        for name in re.findall(r"\$\{?(\w+)", target["expr"]):
            if name not in known:
                yield f"{panel['title']}: there is no variable {name}"


@rule
def says_what_to_do(board, panel):
    for part in ("**Normal:**", "**If not:**"):
        if part not in panel["description"]:
            yield f"its description has no {part}"


@rule
def links_lead_somewhere(board):
    text = json.dumps(board)
    for path in sorted(set(re.findall(re.escape(REPOSITORY) + r"/([\w./-]+)", text))):
        if not (ROOT / path).exists():
            yield f"links to {path}, which does not exist"
    for uid in sorted(set(re.findall(r'"/d/([\w-]+)', text))):
        if uid not in UIDS:
            yield f"links to the dashboard {uid}, which does not exist"


@rule
def unique_ids(board):
    if UIDS.count(board["uid"]) > 1:
        yield f"shares its uid {board['uid']}"
    numbers = [panel["id"] for panel in board["panels"]]
    for number in sorted({number for number in numbers if numbers.count(number) > 1}):
        yield f"two panels have the id {number}"
    for panel in board["panels"]:
        names = [target["refId"] for target in panel.get("targets", [])]
        if len(names) > len(set(names)):
            yield f"{panel['title']}: two queries have the same refId"


# --- The run.


def subjects(check, board):
    """What a rule looks at: its arguments, and the panel's title."""
    match len(inspect.signature(check).parameters):
        case 1:
            yield (board,), None
        case 2:
            yield from (((board, panel), panel["title"]) for panel in board["panels"] if panel["type"] != "row")
        case 3:
            yield from (((board, panel, target), panel["title"]) for panel, target in targets(board))


def problems():
    exceptions, needed = set(), set()
    for name, exception in json.loads((DIRECTORY / ".lint").read_text())["exclusions"].items():
        exceptions |= {(name, entry["dashboard"], entry["panel"]) for entry in exception["entries"]}
        if not exception["reason"]:
            yield f".lint: the exceptions from {name} have no reason"
    for board in BOARDS:
        for check in RULES:
            name = check.__name__.replace("_", "-")
            for arguments, panel in subjects(check, board):
                place = (name, board["title"], panel)
                for problem in check(*arguments):
                    if place in exceptions:
                        needed.add(place)
                    else:
                        yield f"{board['title']}: {panel + ': ' if panel else ''}{problem} ({name})"
    for name, title, panel in sorted(exceptions - needed):
        yield f".lint: {title}: {panel}: the exception from {name} is not needed"
    kustomization = (DIRECTORY / "kustomization.yaml").read_text()
    for path in sorted(DIRECTORY.glob("*.json")):
        if f"files: [{path.name}]" not in kustomization:
            yield f"kustomization.yaml: makes no ConfigMap of {path.name}"


found = list(problems())
sys.exit("\n".join(f"dashboards: {problem}" for problem in found) or 0)
