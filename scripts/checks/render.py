"""Packages the chart as users get it, and asks Helm's own code about it: lint, a rendering for each file of values, and a refusal of each
set of values that is wrong.
    render.py CHART PACKAGE RENDERED       writes the archive to PACKAGE, and RENDERED/NAME.yaml for each CHART/ci/NAME-values.yaml
"""

import copy
import functools
import pathlib
import re
import sys
import tomllib

import helm_python as helm
from configuration import DEFAULTS, KNOWN

CHART, PACKAGE, RENDERED = map(pathlib.Path, sys.argv[1:])
RELEASE = {"name": "orgbridge", "namespace": "orgbridge"}
WARNING = 2
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# Of the values for production: what makes them those of the overlay `variant`, of overlays.sh.
TRACES = {"name": "ORGBRIDGE__TELEMETRY__OTLP_ENDPOINT", "value": "http://otel-collector.monitoring.svc:4318"}
PRIVATE = {"name": "ORGBRIDGE__SINK__ALLOWED_NETWORKS", "value": "10.0.0.0/8"}
VARIANT = [
    ("autoscaling.kind", "hpa"),
    ("lanes.very-big", {"synchronizer": {"resources": {"requests": {"memory": "512Mi"}, "limits": {"memory": "2Gi"}}}}),
    ("services.gateway.extraEnv", [TRACES]),
    ("services.resolver.extraEnv", [TRACES]),
    ("services.sink.extraEnv", [PRIVATE, TRACES]),
    ("services.synchronizer.extraEnv", [PRIVATE, TRACES]),
    ("networkPolicy.traces.to", [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]),
]

# A wrong value by its path, and what the refusal has to name.
REMOVED = object()
WRONG = [
    ("existingSecret.name", REMOVED, "existingSecret.name"),
    ("existingSecret.name", "", "existingSecret.name"),
    ("image.repository", REMOVED, "image.repository"),
    ("replicas", 2, "replicas"),
    ("services.gateway.replica", 2, "replica"),
    ("services.resolver.replicas", "2", "replicas"),
    ("services.resolver.resources.limits.memory", "much", "memory"),
    ("services.console", {}, "console"),
    ("config.broker.partition", 16, "partition"),
    ("config.broker.partitions", "16", "partitions"),
    ("config.database.url", "postgres://user:password@host/database", "url"),
    ("config.admin.listen", "0.0.0.0:9000", "listen"),
    ("config.telemetry.log_format", "xml", "log_format"),
    ("lanes.Big", {}, "Big"),
    ("lanes.shared", {}, "shared"),
    ("lanes.big", {"gateway": {}}, "gateway"),
    ("autoscaling.kind", "vpa", "kind"),
    ("autoscaling.keda.existingSecret.name", "", "autoscaling.keda.existingSecret.name"),
    ("networkPolicy.enabled", "yes", "enabled"),
    ("ingress.host", ["callback.example.com"], "host"),
    ("ingress.host", "", "ingress.host"),
    ("ingress.tlsSecretName", "", "ingress.tlsSecretName"),
]


def changed(values, path, value):
    values = copy.deepcopy(values)
    *tables, key = path.split(".")
    table = values
    for name in tables:
        table = table.setdefault(name, {})
    if value is REMOVED:
        del table[key]
    else:
        table[key] = value
    return values


def refusal(chart, values):
    """Why the values are refused; None if they are not."""
    try:
        chart.render(values, **RELEASE)
    except helm.HelmError as error:
        return str(error)
    return None


def keys_of(schema):
    for name, of in schema["properties"].items():
        yield from (f"{name}.{key}" for key in of["properties"]) if "properties" in of else (name,)


def checksums(chart, values):
    return set(re.findall(r"checksum/config: (\S+)", "".join(chart.render(values, **RELEASE).values())))


def written(chart, values):
    """orgbridge.toml as the services get it."""
    return tomllib.loads(helm.values_from_yaml(chart.render(values, **RELEASE)["orgbridge/templates/config.yaml"])["data"]["orgbridge.toml"])


def configuration(chart, values):
    """Every key that the services know can be set, and arrives as it was given."""
    known = set(keys_of(chart.schema["properties"]["config"]))
    for key in sorted(known ^ KNOWN):
        yield f"values.schema.json: config.{key} {'is known to no service' if key in known else 'is missing'}"
    if known != KNOWN:
        return
    fixed = written(chart, values)
    for section, keys in tomllib.loads(DEFAULTS.read_text()).items():
        if not isinstance(keys, dict):
            continue
        given = {key: value for key, value in keys.items() if key not in fixed.get(section, {})}
        arrived = written(chart, changed(values, f"config.{section}", given))[section]
        if repr({key: arrived.get(key) for key in given}) != repr(given):
            yield f"orgbridge.toml: {section}: {given} became {arrived}"
    if len(checksums(chart, values)) != 1 or checksums(chart, values) == checksums(chart, changed(values, "config.broker.partitions", 8)):
        yield "a changed configuration does not roll the pods out"


def paths(values, prefix=""):
    for name, value in values.items():
        yield from paths(value, f"{prefix}{name}.") if isinstance(value, dict) and value else (f"{prefix}{name}",)


def released(chart):
    """The chart is of the same release as the programs."""
    release = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    for key in ("version", "appVersion"):
        if chart.metadata[key] != release:
            yield f"Chart.yaml: {key} is {chart.metadata[key]}, that of Cargo.toml {release}"


def documentation(chart):
    """The table in README.md has every value, and no other."""
    table = set()
    for entry in re.findall(r"^\| `([\w.]+)` \|", (CHART / "README.md").read_text(), re.MULTILINE):
        entries = {entry.replace("NAME", service) for service in chart.values["services"]}
        table |= entries | {entry.replace("resolver.autoscaling", "sink.autoscaling") for entry in entries}
    unknown = set(table)
    for path in paths(chart.values):
        means = {entry for entry in table if f"{path}.".startswith(f"{entry}.")}
        unknown -= means
        if not means:
            yield f"README.md: {path} is not in the table"
    for entry in sorted(unknown):
        yield f"README.md: there is no value {entry}"


def problems():
    archive = helm.package(CHART, destination=PACKAGE)
    every = {}
    for path in sorted((CHART / "ci").glob("*-values.yaml")):
        every[path.name.removesuffix("-values.yaml")] = helm.values_from_yaml(path.read_text())
    every["variant"] = functools.reduce(lambda values, change: changed(values, *change), VARIANT, every["production"])

    for name, values in every.items():
        report = helm.lint(archive, values, strict=True, namespace=RELEASE["namespace"])
        for message in report["messages"]:
            if message["severity"] >= WARNING:
                yield f"{name}: lint: {message['path']}: {message['error']}"
        with helm.Chart.load(archive) as chart:
            try:
                rendered = chart.render(values, **RELEASE)
            except helm.HelmError as error:
                yield f"{name}: {error}"
                continue
        texts = [text for path, text in sorted(rendered.items()) if path.endswith(".yaml") and text.strip()]
        (RENDERED / f"{name}.yaml").write_text("\n---\n".join(texts))

    with helm.Chart.load(archive) as chart:
        yield from released(chart)
        yield from documentation(chart)
        yield from configuration(chart, every["small"])
        for path, value, named in WRONG:
            why = refusal(chart, changed(every["production"], path, value))
            what = f"{path} {'left out' if value is REMOVED else f'= {value!r}'}"
            if why is None:
                yield f"not refused: {what}"
            elif named not in why:
                yield f"refused without naming it: {what}: {why}"


found = []
try:
    found.extend(problems())
except helm.HelmError as error:
    found.append(str(error))
sys.exit("\n".join(f"chart: {problem}" for problem in found) or 0)
