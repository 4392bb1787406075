"""Checks manifests as they would be applied: each object by its schema, and all of them by what they say of each other.

    manifests.py FILE.yaml...

Each file is one installation. Schemas are those of the oldest Kubernetes that k8s/README.md promises and of the newest that there is one of,
of KEDA 2.16 and of the Prometheus operator 0.80; in each of them a field that the schema does not have is an error.
"""

import functools
import importlib
import json
import pathlib
import re
import sys
import tomllib

import kubernetes_validate
import yaml
from configuration import unknown_keys, unknown_variables

KUBERNETES = ("1.31", "1.37")
# What comes with the operators, by group and version.
OPERATORS = {
    "keda.sh/v1alpha1": "cloudcoil.models.keda.v1alpha1",
    "monitoring.coreos.com/v1": "cloudcoil.models.prometheus_operator.v1",
}
# Secrets that are the operator's to make.
SECRETS = {"orgbridge", "orgbridge-tenants", "orgbridge-keda"}
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PARTITIONS = tomllib.loads((ROOT / "crates/service/default.toml").read_text())["broker"]["partitions"]
LANE = "orgbridge.io/lane"
LANES = "ORGBRIDGE__BROKER__LANES"
HOPS = {"resolver": "events", "sink": "changes"}

# It reads the same schemas for each object.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


def programs():
    """Those that the image's build stage installs."""
    stage = re.search(r"^FROM \S+ AS build\n(.*?)^FROM ", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE | re.DOTALL)
    return set(re.findall(r"target/release/([\w-]+)", stage[1]))


PROGRAMS = programs()


# --- One object.


def of_kubernetes(thing):
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"Kubernetes {version}: {'.'.join(map(str, error.path))}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield error.message


def left_out(given, kept, path=""):
    """The fields of one tree that are not in another."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for key, value in given.items():
            if key in kept:
                yield from left_out(value, kept[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}".lstrip(".")
    elif isinstance(given, list) and isinstance(kept, list):
        for number, (value, other) in enumerate(zip(given, kept, strict=True)):
            yield from left_out(value, other, f"{path}.{number}")


def of_operator(thing):
    model = getattr(importlib.import_module(OPERATORS[thing["apiVersion"]]), thing["kind"], None)
    if model is None:
        yield f"there is no {thing['kind']} in {thing['apiVersion']}"
        return
    try:
        # As JSON, and strictly: Kubernetes takes no "3" for 3.
        kept = model.model_validate_json(json.dumps(thing), strict=True)
    except ValueError as error:
        yield re.sub(r"\s*For further information.*", "", str(error)).replace("\n", " ")
        return
    # The models leave out what they do not know.
    for field in left_out(thing, kept.model_dump(mode="json", by_alias=True, exclude_unset=True)):
        yield f"unknown field {field}"


def schema(thing):
    return of_operator(thing) if thing["apiVersion"] in OPERATORS else of_kubernetes(thing)


# --- All of them.


def matches(selector, labels):
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for expression in selector.get("matchExpressions", []):
        is_in = labels.get(expression["key"]) in expression["values"]
        if is_in != {"In": True, "NotIn": False}[expression["operator"]]:
            return False
    return True


class Pods:
    """What the pods of a workload are alike in."""

    def __init__(self, workload):
        self.workload = workload
        self.name = f"{workload['kind']} {workload['metadata']['name']}"
        self.labels = workload["spec"]["template"]["metadata"]["labels"]
        self.spec = workload["spec"]["template"]["spec"]
        self.runs = workload["kind"] != "Job"
        self.ports = {port.get("name"): port["containerPort"] for container in self.containers() for port in container.get("ports", [])}

    def containers(self):
        return self.spec["containers"] + self.spec.get("initContainers", [])

    def has_port(self, port):
        return port in self.ports or port in self.ports.values()

    def environment(self):
        return {variable["name"]: variable.get("value") for container in self.containers() for variable in container.get("env", [])}


class Installation:
    def __init__(self, things):
        self.things = things
        self.pods = [Pods(thing) for thing in self.all("Deployment", "StatefulSet", "Job")]

    def all(self, *kinds):
        return [thing for thing in self.things if thing["kind"] in kinds]

    def get(self, kind, name):
        return next((thing for thing in self.all(kind) if thing["metadata"]["name"] == name), None)

    def selected(self, selector):
        return [pods for pods in self.pods if matches(selector, pods.labels)]

    def problems(self):
        for thing in self.things:
            where = f"{thing['kind']} {thing['metadata']['name']}"
            for problem in [*schema(thing), *self.settings(thing), *self.references(thing)]:
                yield f"{where}: {problem}"
        for pods in self.pods:
            for problem in [*self.pod(pods), *(self.service(pods) if pods.runs else [])]:
                yield f"{pods.name}: {problem}"

    def settings(self, thing):
        """Of a ConfigMap: what no service knows is refused at start."""
        if thing["kind"] == "ConfigMap" and "orgbridge.toml" in thing["data"]:
            yield from (f"unknown key {key}" for key in unknown_keys(thing["data"]["orgbridge.toml"]))

    def pod(self, pods):
        yield from (f"unknown key {name}" for name in unknown_variables(pods.environment()))
        if not self.get("ServiceAccount", pods.spec.get("serviceAccountName")):
            yield f"there is no ServiceAccount {pods.spec.get('serviceAccountName')}"
        volumes = {volume["name"]: volume for volume in pods.spec.get("volumes", [])}
        claims = {claim["metadata"]["name"] for claim in pods.workload["spec"].get("volumeClaimTemplates", [])}
        for volume in volumes.values():
            yield from self.source(volume)
        for container in pods.containers():
            if container["command"][0] not in PROGRAMS:
                yield f"the image has no program {container['command'][0]}"
            for mount in container["volumeMounts"]:
                if mount["name"] not in volumes.keys() | claims:
                    yield f"there is no volume {mount['name']}"
            for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                probe = container.get(name)
                if probe and not pods.has_port(probe["httpGet"]["port"]):
                    yield f"{name} asks port {probe['httpGet']['port']}, which there is not"

    def source(self, volume):
        if "configMap" in volume and not self.get("ConfigMap", volume["configMap"]["name"]):
            yield f"there is no ConfigMap {volume['configMap']['name']}"
        if "secret" in volume:
            name = volume["secret"]["secretName"]
            secret = self.get("Secret", name)
            if not secret and name not in SECRETS:
                yield f"there is no Secret {name}"
            for item in volume["secret"].get("items", []) if secret else []:
                if item["key"] not in secret["data"]:
                    yield f"Secret {name} has no {item['key']}"

    def service(self, pods):
        """What runs for good is asked how it does, kept apart from what is not meant for it, watched, and not all of it taken away at once."""
        for container in pods.spec["containers"]:
            for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                if name not in container:
                    yield f"has no {name}"
        others = [other.name for other in self.selected(pods.workload["spec"]["selector"]) if other is not pods]
        if others:
            yield f"its selector means {', '.join(others)} too"
        if not matches(pods.workload["spec"]["selector"], pods.labels):
            yield "its selector does not mean its own pods"
        for constraint in pods.spec["topologySpreadConstraints"]:
            if self.selected(constraint["labelSelector"]) != [pods]:
                yield f"is spread over {constraint['topologyKey']} by other pods than its own"
        budgets = [budget for budget in self.all("PodDisruptionBudget") if matches(budget["spec"]["selector"], pods.labels)]
        if len(budgets) != 1:
            yield f"has {len(budgets)} PodDisruptionBudgets; Kubernetes takes one of a pod"
        if self.all("PodMonitor") and not any(matches(monitor["spec"]["selector"], pods.labels) for monitor in self.all("PodMonitor")):
            yield "no PodMonitor means it"
        yield from self.denied(pods)
        yield from self.lane(pods)

    def denied(self, pods):
        policies = [policy["spec"] for policy in self.all("NetworkPolicy") if matches(policy["spec"]["podSelector"], pods.labels)]
        for direction in ("Ingress", "Egress"):
            if not any(direction in policy["policyTypes"] and direction.lower() not in policy for policy in policies):
                yield f"no NetworkPolicy denies {direction} that is not named"

    def lane(self, pods):
        """The name of a lane, wherever it stands, is the same."""
        lane, served = pods.labels.get(LANE), pods.environment().get(LANES)
        if lane != served or pods.workload["metadata"]["labels"].get(LANE) != lane:
            yield f"its label says lane {lane}, its environment {served}"

    def references(self, thing):
        """What an object says of others."""
        kind, spec = thing["kind"], thing.get("spec", {})
        match kind:
            case "Service":
                yield from self.meant({"matchLabels": spec["selector"]}, [port.get("targetPort", port["port"]) for port in spec["ports"]])
            case "StatefulSet":
                service = self.get("Service", spec["serviceName"])
                if not service or service["spec"].get("clusterIP") != "None":
                    yield f"there is no headless Service {spec['serviceName']}"
            case "PodDisruptionBudget":
                yield from self.meant(spec["selector"], [])
            case "PodMonitor":
                yield from self.meant(spec["selector"], [endpoint["port"] for endpoint in spec["podMetricsEndpoints"]])
            case "NetworkPolicy":
                ports = [port["port"] for rule in spec.get("ingress", []) for port in rule.get("ports", [])]
                yield from self.meant(spec["podSelector"], ports)
            case "Ingress":
                for path in (path for rule in spec["rules"] for path in rule["http"]["paths"]):
                    yield from self.backend(path["backend"]["service"])
            case "ScaledObject" | "HorizontalPodAutoscaler":
                yield from self.scaled(thing)

    def meant(self, selector, ports):
        selected = self.selected(selector)
        if not selected:
            yield "means no pods"
        for pods in selected:
            yield from (f"{pods.name} has no port {port}" for port in ports if not pods.has_port(port))

    def backend(self, backend):
        service = self.get("Service", backend["name"])
        ports = service["spec"]["ports"] if service else []
        if not any(backend["port"].items() <= {"name": port.get("name"), "number": port["port"]}.items() for port in ports):
            yield f"there is no Service {backend['name']} with port {backend['port']}"

    def scaled(self, thing):
        spec = thing["spec"]
        name = spec["scaleTargetRef"]["name"]
        target = self.get(spec["scaleTargetRef"].get("kind", "Deployment"), name)
        if not target or target["kind"] != "Deployment":
            yield f"there is no Deployment {name}"
            return
        if "replicas" in target["spec"]:
            yield f"Deployment {name} has a number of replicas, which each `apply` would set again"
        most = spec.get("maxReplicaCount", spec.get("maxReplicas"))
        if most > PARTITIONS:
            yield f"{most} replicas, more than there are partitions"
        pods = target["spec"]["template"]
        lane, hop = pods["metadata"]["labels"].get(LANE), HOPS.get(pods["spec"]["containers"][0]["command"][0])
        if thing["kind"] == "HorizontalPodAutoscaler":
            for metric in spec["metrics"]:
                if metric["external"]["metric"]["selector"]["matchLabels"] != {"hop": hop, "lane": lane}:
                    yield f"does not go by the {hop} of lane {lane}"
            return
        for trigger in spec["triggers"]:
            queues = trigger["metadata"]["queueName"]
            if not all(re.fullmatch(queues, f"orgbridge.{hop}.{lane}.p{number:02}") for number in range(PARTITIONS)):
                yield f"{queues} does not mean the queues orgbridge.{hop}.{lane}.pNN"
            if any(re.search(queues, f"orgbridge.{hop}.{other}") for other in (f"{lane}.dead", f"{lane}-2.p00", f"2-{lane}.p00")):
                yield f"{queues} means other queues too"
            if not self.get("TriggerAuthentication", trigger["authenticationRef"]["name"]):
                yield f"there is no TriggerAuthentication {trigger['authenticationRef']['name']}"


found = []
for path in map(pathlib.Path, sys.argv[1:]):
    installation = Installation([thing for thing in yaml.safe_load_all(path.read_text()) if thing])
    found += [f"{path.stem}: {problem}" for problem in installation.problems()]
sys.exit("\n".join(found) or 0)
