"""The NATS configuration against what its pods have, and against who connects as whom."""

from __future__ import annotations

import re
import tomllib
from typing import Iterator

from manifests import Manifests, Pod
from settings import program_of

QUOTED_OR_COMMENT = re.compile(r'"[^"]*"|#[^\n]*')
# Read by the Go runtime of nats-server, not by its configuration.
OF_THE_RUNTIME = {"GOMEMLIMIT"}
INCLUDE = re.compile(r'^\s*include\s+"([^"]+)"', re.MULTILINE)


def faults(manifests: Manifests) -> Iterator[str]:
    (broker,) = [pod for pod in manifests.pods() if pod.workload == "nats"]
    configuration = read_configuration(manifests, broker)
    environment = manifests.environment(broker)
    wanted = variables(configuration)
    for name in sorted(wanted - set(environment)):
        yield f"nats: its configuration needs ${name}"
    for name in sorted(set(environment) - wanted - OF_THE_RUNTIME):
        yield f"nats: its configuration does not use ${name}"
    for name, value in environment.items():
        if name.endswith("_FILE") and value not in manifests.files(broker):
            yield f"nats: {name}: no volume brings {value}"
    yield from _clients(manifests, users(configuration))


def read_configuration(manifests: Manifests, broker: Pod) -> str:
    """The file that nats-server is started with, and what that includes."""
    files = manifests.files(broker)
    command = broker.container["command"]
    first = command[command.index("--config") + 1]
    directory = first.rpartition("/")[0]

    def read(file: str) -> str:
        if file not in files:
            raise SystemExit(f"nats: no volume brings {file}")
        source = files[file]
        text = manifests.contents(source.kind, source.name)[source.key]
        return text + "".join(read(f"{directory}/{name}") for name in INCLUDE.findall(text))

    return read(first)


def variables(configuration: str) -> set[str]:
    return set(re.findall(r"\$([A-Z][A-Z0-9_]*)", QUOTED_OR_COMMENT.sub("", configuration)))


def users(configuration: str) -> dict[str, str]:
    """Each user, and the variable that has its password."""
    found = re.findall(r"\buser:\s*([a-z0-9-]+),\s*password:\s*\$([A-Z0-9_]+)", configuration)
    return dict(found)


def _clients(manifests: Manifests, passwords: dict[str, str]) -> Iterator[str]:
    for pod in manifests.pods():
        environment, files = manifests.environment(pod), manifests.files(pod)
        user = environment.get("PROOFLINE_NATS_USER")
        if program_of(pod) is None or user is None:
            continue
        if user != pod.workload:
            yield f"{pod.workload}: is {user} on NATS"
        source = files.get(environment.get("PROOFLINE_NATS_PASSWORD_FILE", ""))
        key = source.key if source else None
        if key != passwords.get(user):
            yield f"{pod.workload}: is given {key}, and NATS asks {user} for {passwords.get(user)}"
        others = {f.key for f in files.values()} & set(passwords.values()) - {key}
        if others:
            yield f"{pod.workload}: has passwords of others: {sorted(others)}"
        tenants = files.get(environment.get("PROOFLINE_TENANTS_FILE", ""))
        if tenants is not None and pod.kind == "Job":
            text = manifests.contents(tenants.kind, tenants.name)[tenants.key]
            for tenant, table in tomllib.loads(text)["tenants"].items():
                for subscriber in table.get("subscribers", []):
                    if f"{tenant}-{subscriber}" not in passwords:
                        yield f"tenants: NATS has no user {tenant}-{subscriber}"
