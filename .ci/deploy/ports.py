"""Ports, probes and the way to stop, against the code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from manifests import Manifests, Pod
from settings import program_of

# Of nats-server's monitoring port; not our code.
NATS_HEALTH = {"/healthz", "/healthz?js-enabled-only=true", "/healthz?js-server-only=true"}

LISTENERS = {
    "PROOFLINE_LISTEN": "http",
    "PROOFLINE_ADMIN_LISTEN": "admin",
    "SIMULATOR_LISTEN": "http",
}


@dataclass
class Code:
    """What the code says."""

    admin_paths: set[str]
    gone_after_seconds: float

    @classmethod
    def read(cls, root: Path) -> Code:
        admin = (root / "crates/service/src/http/admin.rs").read_text()
        process = (root / "crates/service/src/process.rs").read_text()
        gone = re.search(r"const GONE: Duration = Duration::from_millis\(([0-9_]+)\)", process)
        if gone is None:
            raise SystemExit("process.rs does not say any more when a process is gone (GONE)")
        return cls(
            admin_paths=set(re.findall(r'\.route\("(/[a-z]+)"', admin)),
            gone_after_seconds=int(gone[1].replace("_", "")) / 1000,
        )


def faults(manifests: Manifests, code: Code) -> Iterator[str]:
    for pod in manifests.pods():
        if pod.kind == "Job":
            continue
        for fault in [*_listeners(manifests, pod), *_probes(pod, code), *_stop(pod, code)]:
            yield f"{pod.workload}: {fault}"
    for monitor in manifests.of_kind("ServiceMonitor"):
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["path"] not in code.admin_paths:
                yield f"ServiceMonitor: nobody answers {endpoint['path']}"


def _listeners(manifests: Manifests, pod: Pod) -> Iterator[str]:
    environment = manifests.environment(pod)
    for setting, port_name in LISTENERS.items():
        if setting in environment:
            host, _, port = environment[setting].rpartition(":")
            if host not in ("0.0.0.0", "[::]"):
                yield f"{setting} is {host}, which nobody outside the pod reaches"
            if pod.ports().get(port_name) != int(port):
                yield f"{setting} is port {port}, and its port {port_name} another"


def _probes(pod: Pod, code: Code) -> Iterator[str]:
    program = program_of(pod)
    is_service = program is not None and program.startswith("proofline-")
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = pod.container.get(name)
        if probe is None:
            yield f"it has no {name}"
            continue
        action = probe.get("httpGet") or probe["tcpSocket"]
        port, path = action["port"], action.get("path")
        if port not in pod.ports():
            yield f"{name}: there is no port {port}"
        if is_service:
            expected = "/readyz" if name == "readinessProbe" else "/livez"
            if (port, path) != ("admin", expected):
                yield f"{name}: asks {port}{path}, not admin{expected}"
            if path not in code.admin_paths:
                yield f"{name}: the admin port does not answer {path}"
        elif path is not None and path not in NATS_HEALTH:
            yield f"{name}: nobody is known to answer {path}"


def _stop(pod: Pod, code: Code) -> Iterator[str]:
    program = program_of(pod)
    if program is None:
        return
    wait = pod.container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    grace = pod.spec.get("terminationGracePeriodSeconds", 30)
    if grace <= wait + code.gone_after_seconds:
        yield f"is killed after {grace} s; a stop may take {wait} s and {code.gone_after_seconds} s"
    if program.startswith("proofline-") and wait < 2:
        yield "stops before proxies know of it: it needs a preStop sleep"
