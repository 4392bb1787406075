"""Whether the chart and kustomize make the same objects: the same kinds and names, and specs that differ in nothing.
    same_objects.py CHART.yaml KUSTOMIZE.yaml

What may differ: labels and annotations of an object, its namespace, the hash that kustomize appends to names, the checksum by which the
chart rolls pods out instead, the order of variables and volumes, and how a configuration is written. Who installs brings the Namespace and
the Secrets: the chart makes none.
"""

import pathlib
import re
import sys
import textwrap
import tomllib

import yaml

# The alphabet of kustomize's hashes has no vowels, so no word looks like one.
HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")
BROUGHT = {"Namespace", "Secret"}
UNORDERED = {"env", "volumes", "volumeMounts"}


def normalised(value, of=None):
    if isinstance(value, dict):
        value = {key: normalised(item, key) for key, item in value.items() if not key.startswith("checksum/")}
        return {key: item for key, item in value.items() if (key, item) != ("annotations", {})}
    if isinstance(value, list):
        value = [normalised(item) for item in value]
        return sorted(value, key=lambda item: item["name"]) if of in UNORDERED else value
    return HASH.sub("", value) if isinstance(value, str) else value


def objects(path):
    """What an object is, without what may differ, by its kind and name."""
    found = {}
    for document in yaml.safe_load_all(path.read_text()):
        if document is None:
            continue
        kind, name = document.pop("kind"), HASH.sub("", document.pop("metadata")["name"])
        if kind == "ConfigMap" and "orgbridge.toml" in document["data"]:
            document["data"]["orgbridge.toml"] = tomllib.loads(document["data"]["orgbridge.toml"])
        where = f"{kind} {name}"
        if where in found:
            sys.exit(f"chart: {path}: {where} is there twice")
        found[where] = normalised(document)
    return found


def short(value):
    return textwrap.shorten(repr(value), 120, placeholder=" ...")


def differences(ours, theirs, path):
    """Where the two differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys(), key=str):
            if key not in ours:
                yield f"{path}.{key}: not in the chart; kustomize has {short(theirs[key])}"
            elif key not in theirs:
                yield f"{path}.{key}: only in the chart: {short(ours[key])}"
            else:
                yield from differences(ours[key], theirs[key], f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{path}[{index}]")
    elif ours != theirs or isinstance(ours, bool) != isinstance(theirs, bool):
        yield f"{path}: {short(ours)} in the chart; kustomize has {short(theirs)}"


def problems(chart, kustomize):
    for where in sorted(chart.keys() - kustomize.keys()):
        yield f"{where}: only in the chart"
    for where in sorted(kustomize.keys() - chart.keys()):
        if where.split()[0] not in BROUGHT:
            yield f"{where}: not in the chart"
    for where in sorted(chart.keys() & kustomize.keys()):
        yield from differences(chart[where], kustomize[where], where)


CHART, KUSTOMIZE = map(pathlib.Path, sys.argv[1:])
found = [f"chart: {CHART.stem}: {problem}" for problem in problems(objects(CHART), objects(KUSTOMIZE))]
sys.exit("\n".join(found) or 0)
