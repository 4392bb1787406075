#!/usr/bin/env python3
"""Prints what `kubectl kustomize` makes of an overlay, or a file of manifests, as JSON: a list of objects.

render.py OVERLAY | FILE.yaml

Files that an overlay makes its Secrets of are an operator's own and need not be there. Needs PyYAML and kubectl: of the machine, or as
scripts/check-deploy fetched them.
"""
import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[4]
TOOLS = ROOT / "target/tools/deploy"

try:
    import yaml
except ImportError:
    for python in glob.glob(f"{TOOLS}/*/bin/python"):
        if subprocess.run([python, "-c", "import yaml"], stderr=subprocess.DEVNULL).returncode == 0:
            os.execv(python, [python, *sys.argv])
    sys.exit("PyYAML is missing: `apt-get install python3-yaml`, or run scripts/check-deploy once")


def kubectl():
    fetched = glob.glob(f"{TOOLS}/*/kubectl")
    found = shutil.which("kubectl") or (fetched and fetched[0])
    return found or sys.exit("kubectl is missing: run scripts/check-deploy once, it fetches one")


def invent_secrets(tree):
    for kustomization in tree.rglob("kustomization.yaml"):
        for secret in yaml.safe_load(kustomization.read_text()).get("secretGenerator", []):
            for named in secret.get("files", []) + secret.get("envs", []):
                file = kustomization.parent / named.rpartition("=")[2]
                if not file.exists():
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text("")


def rendered(overlay):
    overlay = overlay.resolve()
    # Another checkout's overlay belongs to that checkout.
    root = next((root for root in overlay.parents if (root / "deploy").is_dir()), ROOT)
    with tempfile.TemporaryDirectory() as copy:
        for part in ["k8s", "deploy"]:
            shutil.copytree(root / part, pathlib.Path(copy, part), symlinks=True)
        invent_secrets(pathlib.Path(copy, "k8s"))
        overlay = pathlib.Path(copy, overlay.relative_to(root))
        kustomize = subprocess.run([kubectl(), "kustomize", overlay], stdout=subprocess.PIPE, text=True)
    if kustomize.returncode != 0:
        sys.exit(f"kubectl kustomize {overlay} failed")
    return kustomize.stdout


place = ROOT / sys.argv[1]
text = place.read_text() if place.is_file() else rendered(place)
json.dump([manifest for manifest in yaml.safe_load_all(text) if manifest], sys.stdout)
