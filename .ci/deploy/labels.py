"""Whoever names pods, services or ports names some that are there."""

from __future__ import annotations

from typing import Iterator

from manifests import Manifests, Pod, selects

# The schemas at hand know no ServiceMonitor, so a misspelt member of an endpoint would pass.
ENDPOINT = {"port", "path", "interval", "scrapeTimeout", "relabelings"}

# How Prometheus must name the job that scrapes a service: rules and dashboard ask for these.
JOB = {
    "sourceLabels": ["__meta_kubernetes_service_label_app_kubernetes_io_component"],
    "targetLabel": "job",
    "replacement": "proofline-$1",
}

RECOMMENDED = ["name", "component", "part-of", "managed-by", "instance"]


def faults(manifests: Manifests) -> Iterator[str]:
    yield from _workloads(manifests)
    yield from _services(manifests)
    yield from _budgets_and_scalers(manifests)
    yield from _network_policies(manifests)
    yield from _ingresses(manifests)
    yield from _monitors(manifests)


def selected(manifests: Manifests, selector: dict) -> list[Pod]:
    return [pod for pod in manifests.pods() if selects(selector, pod.labels)]


def _workloads(manifests: Manifests) -> Iterator[str]:
    for pod in manifests.pods():
        what = f"{pod.kind} {pod.workload}"
        for label in RECOMMENDED:
            if f"app.kubernetes.io/{label}" not in pod.labels:
                yield f"{what}: its pods have no label app.kubernetes.io/{label}"
        version = pod.labels.get("app.kubernetes.io/version")
        if version is not None and version != pod.container["image"].rpartition(":")[2]:
            yield f"{what}: the label says version {version}, the image is {pod.container['image']}"
        selector = pod.manifest["spec"].get("selector")
        if selector is not None:
            chosen = [p.workload for p in selected(manifests, selector)]
            if chosen != [pod.workload]:
                yield f"{what}: its selector fits the pods of {chosen}"
        for constraint in pod.spec.get("topologySpreadConstraints", []):
            if not selects(constraint["labelSelector"], pod.labels):
                yield f"{what}: a topology spread constraint does not select its own pods"


def _services(manifests: Manifests) -> Iterator[str]:
    for service in manifests.of_kind("Service"):
        what = f"Service {service['metadata']['name']}"
        pods = selected(manifests, {"matchLabels": service["spec"]["selector"]})
        if len(pods) != 1:
            yield f"{what}: selects the pods of {[p.workload for p in pods]}, not of one workload"
        for pod in pods:
            for port in service["spec"]["ports"]:
                if port["targetPort"] not in pod.ports():
                    yield f"{what}: {pod.workload} has no port {port['targetPort']}"


def _budgets_and_scalers(manifests: Manifests) -> Iterator[str]:
    for budget in manifests.of_kind("PodDisruptionBudget"):
        workloads = [p.workload for p in selected(manifests, budget["spec"]["selector"])]
        if len(workloads) != 1:
            yield f"PodDisruptionBudget {budget['metadata']['name']}: is about {workloads}"
    for scaler in manifests.of_kind("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        what = f"HorizontalPodAutoscaler {scaler['metadata']['name']}"
        workload = manifests.named(target["kind"], target["name"])
        if workload is None:
            yield f"{what}: there is no {target['kind']} {target['name']}"
        elif "replicas" in workload["spec"]:
            yield f"{what}: {target['name']} has replicas of its own, which each apply would set"


def _network_policies(manifests: Manifests) -> Iterator[str]:
    for policy in manifests.of_kind("NetworkPolicy"):
        what = f"NetworkPolicy {policy['metadata']['name']}"
        spec = policy["spec"]
        subjects = selected(manifests, spec["podSelector"])
        if not subjects:
            yield f"{what}: selects no pod"
        for rule in spec.get("ingress", []):
            yield from _ports(what, rule, subjects)
        for rule in spec.get("egress", []) + spec.get("ingress", []):
            for peer in rule.get("to", []) + rule.get("from", []):
                if "podSelector" in peer and "namespaceSelector" not in peer:
                    peers = selected(manifests, peer["podSelector"])
                    if not peers:
                        yield f"{what}: names a peer that selects no pod"
                    if peer in rule.get("to", []):
                        yield from _ports(what, rule, peers)


def _ports(what: str, rule: dict, targets: list[Pod]) -> Iterator[str]:
    for port in rule.get("ports", []):
        for pod in targets:
            if port["port"] not in [*pod.ports().values(), *pod.ports()]:
                yield f"{what}: {pod.workload} has no port {port['port']}"


def _ingresses(manifests: Manifests) -> Iterator[str]:
    for ingress in manifests.of_kind("Ingress"):
        what = f"Ingress {ingress['metadata']['name']}"
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                service = manifests.named("Service", backend["name"])
                ports = [p["name"] for p in service["spec"]["ports"]] if service else []
                if backend["port"]["name"] not in ports:
                    yield f"{what}: Service {backend['name']} has no port {backend['port']['name']}"
        for tls in ingress["spec"].get("tls", []):
            if manifests.contents("Secret", tls["secretName"]) is None:
                yield f"{what}: there is no Secret {tls['secretName']}"


def _monitors(manifests: Manifests) -> Iterator[str]:
    for monitor in manifests.of_kind("ServiceMonitor"):
        what = f"ServiceMonitor {monitor['metadata']['name']}"
        services = [
            service
            for service in manifests.of_kind("Service")
            if selects(monitor["spec"]["selector"], service["metadata"]["labels"])
        ]
        if not services:
            yield f"{what}: selects no Service"
        for endpoint in monitor["spec"]["endpoints"]:
            if not set(endpoint) <= ENDPOINT:
                yield f"{what}: an endpoint has members that are not checked: {set(endpoint) - ENDPOINT}"
            if endpoint.get("relabelings") != [JOB]:
                yield f"{what}: jobs are not named proofline-<service>, which the rules ask for"
            for service in services:
                if endpoint["port"] not in [p["name"] for p in service["spec"]["ports"]]:
                    name = service["metadata"]["name"]
                    yield f"{what}: Service {name} has no port {endpoint['port']}"
