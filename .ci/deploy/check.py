"""Our own checks of the manifests; `make deploy-check` runs them on what kustomize renders.

check.py RENDERED PROOFLINE [--write]

RENDERED is a directory with development.yaml and production.yaml, PROOFLINE the directory of the
built programs. With --write, reachability.txt is written anew instead of compared.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import labels
import nats
import ports
import reachability
import references
import settings
from manifests import Manifests

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"
TABLE = KUBERNETES / "reachability.txt"
OPENING = """\
# Who may open a connection to whom, by the network policies. Written by `make reachability`; a change
# here is a change of who is trusted. Whoever has no line reaches nobody, and nobody reaches it.
# What the kubelet asks (probes) and `kubectl port-forward` come from the node and are not limited.
"""


def main(rendered: Path, programs: Path, write: bool) -> int:
    production = KUBERNETES / "overlays/production"
    overlays = [
        Manifests.load(rendered / "development.yaml"),
        Manifests.load(rendered / "production.yaml", production / "secrets.template.yaml"),
    ]
    reference = settings.Reference.parse(run(programs / "proofline", "describe", "settings"))
    code = ports.Code.read(ROOT)

    faults = [*help_faults(reference, programs)]
    faults += settings.base_faults((KUBERNETES / "base/settings.env").read_text(), reference)
    for overlay in overlays:
        found = [
            *labels.faults(overlay),
            *references.faults(overlay),
            *settings.faults(overlay, reference),
            *settings.unused(overlay),
            *ports.faults(overlay, code),
            *nats.faults(overlay),
            *reachability.faults(overlay, reference),
        ]
        faults += [f"{overlay.name}: {fault}" for fault in found]

    table = OPENING + "".join(f"\n## {o.name}\n\n{reachability.table(o)}" for o in overlays)
    if write:
        TABLE.write_text(table)
    elif TABLE.read_text() != table:
        faults.append("reachability.txt is not current: run `make reachability` and look at the change")
    sys.stdout.write(table)
    for fault in faults:
        sys.stderr.write(f"FAULT {fault}\n")
    pods = sum(len(overlay.pods()) for overlay in overlays)
    objects = sum(len(overlay.objects) for overlay in overlays)
    print(f"\n{objects} objects, {pods} workloads, {len(faults)} faults")
    return 1 if faults else 0


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def help_faults(reference: settings.Reference, programs: Path) -> Iterator[str]:
    """The description names what each program's own help names."""
    for program, described in reference.programs.items():
        words = program.split()
        if words[0] != "proofline":
            text = run(programs / program, "--help")
        elif program == "proofline provision":
            text = run(programs / "proofline", "provision", "--settings")
        else:
            continue
        told = set(re.findall(r"^  ([A-Z][A-Z0-9_]+)  ", text, re.MULTILINE))
        if told != set(described):
            yield f"{program}: `describe settings` and its help differ in {told ^ set(described)}"


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    sys.exit(main(Path(arguments[0]), Path(arguments[1]), "--write" in sys.argv))
