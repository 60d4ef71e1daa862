"""Every ConfigMap and Secret that is named is there, with the key."""

from __future__ import annotations

from typing import Iterator

from manifests import Manifests, Pod, volume_sources


def faults(manifests: Manifests) -> Iterator[str]:
    for pod in manifests.pods():
        yield from _environment(manifests, pod)
        yield from _volumes(manifests, pod)


def _environment(manifests: Manifests, pod: Pod) -> Iterator[str]:
    for variable in pod.container.get("env", []):
        for kind, member in (("ConfigMap", "configMapKeyRef"), ("Secret", "secretKeyRef")):
            reference = variable.get("valueFrom", {}).get(member)
            if reference and not reference.get("optional"):
                yield from _missing(manifests, pod, kind, reference["name"], [reference["key"]])
    for source in pod.container.get("envFrom", []):
        for kind, member in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
            if member in source and not source[member].get("optional"):
                yield from _missing(manifests, pod, kind, source[member]["name"], [])


def _volumes(manifests: Manifests, pod: Pod) -> Iterator[str]:
    volumes = {v["name"]: v for v in pod.spec.get("volumes", [])}
    claims = [c["metadata"]["name"] for c in pod.manifest["spec"].get("volumeClaimTemplates", [])]
    mounted = [m["name"] for m in pod.container.get("volumeMounts", [])]
    for name in mounted:
        if name not in volumes and name not in claims:
            yield f"{pod.workload}: mounts {name}, which is no volume"
    for name, volume in volumes.items():
        if name not in mounted:
            yield f"{pod.workload}: volume {name} is mounted nowhere"
        for source in volume_sources(volume):
            if not source.optional:
                yield from _missing(manifests, pod, source.kind, source.name, list(source.items))


def _missing(
    manifests: Manifests, pod: Pod, kind: str, name: str, keys: list[str]
) -> Iterator[str]:
    contents = manifests.contents(kind, name)
    if contents is None:
        yield f"{pod.workload}: there is no {kind} {name}"
        return
    for key in keys:
        if key not in contents:
            yield f"{pod.workload}: {kind} {name} has no key {key}"
