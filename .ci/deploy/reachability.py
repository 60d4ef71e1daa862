"""Who may open a connection to whom, by the network policies, as a table that people can check."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Iterator
from urllib.parse import urlsplit

from manifests import Manifests, selects
from settings import Reference, program_of

# Every port: nothing restricts it.
ALL = None
Ports = set[tuple[str, int]] | None


@dataclass
class Place:
    """A pod of ours, or somebody else of whom there could be one."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    namespace_labels: dict[str, str] = field(default_factory=dict)
    address: str | None = None
    ours: bool = False
    port_names: dict[str, int] = field(default_factory=dict)


def _of_namespace(name: str, **more: str) -> dict[str, str]:
    labels = {key.replace("_", "-"): value for key, value in more.items()}
    return {"kubernetes.io/metadata.name": name, **labels}


def outsiders() -> list[Place]:
    """One of each kind of neighbour, those that should get nowhere among them."""
    app = lambda name: {"app.kubernetes.io/name": name}
    return [
        Place("kube-dns", {"k8s-app": "kube-dns"}, _of_namespace("kube-system")),
        Place("ingress controller", app("ingress-nginx"), _of_namespace("ingress-nginx")),
        Place("prometheus", app("prometheus"), _of_namespace("monitoring")),
        Place("collector", app("opentelemetry-collector"), _of_namespace("observability")),
        Place("a caller", app("shop"), _of_namespace("shop", proofline_caller="true")),
        Place("a subscriber", app("billing"), _of_namespace("billing", proofline_subscriber="true")),
        Place("any other pod", app("prometheus"), _of_namespace("elsewhere")),
        Place("the internet", address="93.184.215.14"),
        Place("the internet (v6)", address="2606:2800:21f:cb07:6820:80da:af6b:8b2c"),
        Place("a private network", address="10.1.2.3"),
        Place("cloud metadata", address="169.254.169.254"),
    ]


def places(manifests: Manifests) -> list[Place]:
    namespace = _of_namespace(manifests.namespace)
    ours = [
        Place(p.workload, p.labels, namespace, ours=True, port_names=p.ports())
        for p in sorted(manifests.pods(), key=lambda pod: pod.workload)
    ]
    stranger = Place("a stranger in the namespace", {}, namespace, ours=True)
    return [*ours, stranger, *outsiders()]


def allowed(manifests: Manifests, source: Place, target: Place) -> Ports:
    """The ports on which `source` reaches `target`; `ALL` when nothing restricts it."""
    way_out = _direction(manifests, "Egress", source, target)
    way_in = _direction(manifests, "Ingress", target, source)
    if way_out is ALL:
        return way_in
    return way_out if way_in is ALL else way_out & way_in


def _direction(manifests: Manifests, direction: str, subject: Place, peer: Place) -> Ports:
    if not subject.ours:
        return ALL
    rules_in, peers_in = {"Egress": ("egress", "to"), "Ingress": ("ingress", "from")}[direction]
    target = peer if direction == "Egress" else subject
    ports: set[tuple[str, int]] = set()
    is_isolated = False
    for policy in manifests.of_kind("NetworkPolicy"):
        spec = policy["spec"]
        if direction not in spec["policyTypes"] or not selects(spec["podSelector"], subject.labels):
            continue
        is_isolated = True
        for rule in spec.get(rules_in, []):
            peers = rule.get(peers_in)
            if peers and not any(_is_peer(one, subject, peer) for one in peers):
                continue
            if "ports" not in rule:
                return ALL
            ports |= {_port(port, target) for port in rule["ports"]}
    return ports if is_isolated else ALL


def _is_peer(rule: dict, subject: Place, peer: Place) -> bool:
    if "ipBlock" in rule:
        if peer.address is None:
            # The addresses of pods are private, which a block for the internet must leave out.
            private = ipaddress.ip_address("10.244.0.1")
            return _in_block(rule["ipBlock"], private)
        return _in_block(rule["ipBlock"], ipaddress.ip_address(peer.address))
    if peer.address is not None:
        return False
    if "namespaceSelector" in rule:
        if not selects(rule["namespaceSelector"], peer.namespace_labels):
            return False
    elif peer.namespace_labels != subject.namespace_labels:
        return False
    return selects(rule.get("podSelector", {}), peer.labels)


def _in_block(block: dict, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inside = lambda cidr: address in ipaddress.ip_network(cidr)
    return inside(block["cidr"]) and not any(inside(cidr) for cidr in block.get("except", []))


def _port(port: dict, target: Place) -> tuple[str, int]:
    if "endPort" in port:
        raise SystemExit("a range of ports: name them one by one")
    number = port["port"]
    if isinstance(number, str):
        number = target.port_names[number]
    return port.get("protocol", "TCP"), number


# --- the table -----------------------------------------------------------------------------------


def table(manifests: Manifests) -> str:
    """A line for each way; whoever has no line reaches nobody, and is reached by nobody."""
    everybody = places(manifests)
    lines = []
    for source in everybody:
        for target in everybody:
            # Two that are not ours are none of our business.
            if not (source.ours or target.ours):
                continue
            ports = allowed(manifests, source, target)
            if ports is ALL:
                lines.append((source.name, target.name, "EVERY PORT"))
            elif ports:
                lines.append((source.name, target.name, _shown(ports, target)))
    width = [max(len(line[i]) for line in lines) for i in (0, 1)]
    return "".join(f"{a:<{width[0]}}  ->  {b:<{width[1]}}  {c}\n" for a, b, c in lines)


def _shown(ports: set[tuple[str, int]], target: Place) -> str:
    names = {number: name for name, number in target.port_names.items()}
    show = lambda protocol, number: " ".join(
        filter(None, [str(number), protocol if protocol != "TCP" else "", names.get(number, "")])
    )
    return ", ".join(show(*port) for port in sorted(ports, key=lambda port: (port[1], port[0])))


# --- what must be possible -----------------------------------------------------------------------

# What a program calls; other addresses are told to others.
CALLED = {
    "PROOFLINE_NATS_URL",
    "ASSURE_BASE_URL",
    "ASSURE_TOKEN_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
}
DEFAULT_PORTS = {"http": 80, "https": 443, "nats": 4222, "tls": 4222}


def faults(manifests: Manifests, reference: Reference) -> Iterator[str]:
    """Every address that a program is told to call can be reached by it, DNS included; every
    Ingress, ServiceMonitor and address given to others leads somewhere."""
    everybody = {place.name: place for place in places(manifests)}
    for pod in manifests.pods():
        program = program_of(pod)
        if program not in reference.programs or program == "assure-simulator":
            continue
        me = everybody[pod.workload]
        dns = allowed(manifests, me, everybody["kube-dns"])
        if dns is not ALL and not {("UDP", 53), ("TCP", 53)} <= dns:
            yield f"{pod.workload}: cannot ask DNS"
        environment = manifests.environment(pod)
        for name in sorted(CALLED & set(reference.programs[program])):
            default = reference.programs[program][name]["default"]
            for url in filter(None, (environment.get(name) or default or "").split(",")):
                fault = _unreachable(manifests, everybody, me, url)
                if fault:
                    yield f"{pod.workload}: {name}: {fault}"
    yield from _scraping(manifests, everybody)
    yield from _entrances(manifests, everybody)


def _unreachable(
    manifests: Manifests, everybody: dict[str, Place], me: Place, url: str
) -> str | None:
    parts = urlsplit(url)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    service, namespace = split_host(parts.hostname or "", manifests.namespace)
    if namespace is None:
        target, ports = everybody["the internet"], {port}
    elif namespace != manifests.namespace:
        others = [p for p in everybody.values() if namespace in p.namespace_labels.values()]
        if not others:
            return f"nobody is known in namespace {namespace}"
        target, ports = others[0], {port}
    else:
        found = manifests.named("Service", service)
        if found is None:
            return f"there is no Service {service}"
        numbers = [p["targetPort"] for p in found["spec"]["ports"] if p["port"] == port]
        if not numbers:
            return f"Service {service} has no port {port}"
        selector = {"matchLabels": found["spec"]["selector"]}
        targets = [place for place in everybody.values() if selects(selector, place.labels)]
        # That a Service leads nowhere is told by labels.py.
        if not targets or numbers[0] not in targets[0].port_names:
            return None
        target, ports = targets[0], {targets[0].port_names[numbers[0]]}
    way = allowed(manifests, me, target)
    if way is not ALL and not {("TCP", number) for number in ports} <= way:
        return f"no network policy lets it to {target.name} on {sorted(ports)}"
    return None


def split_host(host: str, namespace: str) -> tuple[str, str | None]:
    """Service and namespace of a name in the cluster; no namespace for one of the internet."""
    labels = host.removesuffix(".cluster.local").split(".")
    if labels[-1] == "svc" and len(labels) >= 3:
        # With a pod's own name in front: pod.service.namespace.svc.
        return labels[-3], labels[-2]
    if len(labels) == 1:
        return labels[0], namespace
    return host, None


def _scraping(manifests: Manifests, everybody: dict[str, Place]) -> Iterator[str]:
    if not manifests.of_kind("ServiceMonitor"):
        return
    for pod in manifests.pods():
        way = allowed(manifests, everybody["prometheus"], everybody[pod.workload])
        admin = pod.ports().get("admin")
        if admin is not None and way is not ALL and ("TCP", admin) not in way:
            yield f"{pod.workload}: prometheus cannot scrape it"


def _entrances(manifests: Manifests, everybody: dict[str, Place]) -> Iterator[str]:
    """Only what faces the internet has an Ingress, and is told to others by its host."""
    hosts = {}
    for ingress in manifests.of_kind("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]["name"]
                hosts[rule["host"]] = service
                if service not in ("callback-receiver", "upload"):
                    yield f"Ingress {ingress['metadata']['name']}: {service} is not for the internet"
                    continue
                way = allowed(manifests, everybody["ingress controller"], everybody[service])
                http = everybody[service].port_names["http"]
                if way is not ALL and way != {("TCP", http)}:
                    yield f"{service}: the ingress controller reaches {way}, not port {http} alone"
    for pod in manifests.pods():
        environment = manifests.environment(pod)
        for name, service in (
            ("PROOFLINE_PUBLIC_URL", "callback-receiver"),
            ("PROOFLINE_UPLOAD_URL", "upload"),
            ("PROOFLINE_API_URL", "intake"),
        ):
            if name not in environment:
                continue
            host = urlsplit(environment[name]).hostname or ""
            found, namespace = split_host(host, manifests.namespace)
            if hosts.get(host) != service and (found, namespace) != (service, manifests.namespace):
                yield f"{pod.workload}: {name}: {host} does not lead to {service}"
