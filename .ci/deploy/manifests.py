"""Rendered manifests: what is in them, and what their pods see."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Iterator

import yaml

@dataclass
class Pod:
    """The pods of one workload: they differ in nothing that matters here."""

    workload: str
    kind: str
    namespace: str
    labels: dict[str, str]
    spec: dict
    manifest: dict

    @property
    def container(self) -> dict:
        """All our pods have one."""
        (container,) = self.spec["containers"]
        return container

    def ports(self) -> dict[str, int]:
        return {p["name"]: p["containerPort"] for p in self.container.get("ports", [])}


@dataclass
class Manifests:
    """One overlay, with the objects that an operator brings."""

    name: str
    objects: list[dict]
    brought: list[dict] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path, template: Path | None = None) -> Manifests:
        return cls(path.stem, _read(path), _read(template) if template else [])

    def of_kind(self, *kinds: str) -> list[dict]:
        return [o for o in self.objects if o["kind"] in kinds]

    def named(self, kind: str, name: str) -> dict | None:
        found = [o for o in self.of_kind(kind) if o["metadata"]["name"] == name]
        return found[0] if found else None

    @property
    def namespace(self) -> str:
        (namespace,) = self.of_kind("Namespace")
        return namespace["metadata"]["name"]

    def pods(self) -> list[Pod]:
        return [
            Pod(
                workload=o["metadata"]["name"],
                kind=o["kind"],
                namespace=o["metadata"].get("namespace", ""),
                labels=o["spec"]["template"]["metadata"].get("labels", {}),
                spec=o["spec"]["template"]["spec"],
                manifest=o,
            )
            for o in self.of_kind("Deployment", "StatefulSet", "Job")
        ]

    def contents(self, kind: str, name: str) -> dict[str, str] | None:
        """Keys and values of a ConfigMap or Secret."""
        for o in self.objects + self.brought:
            if o["kind"] == kind and o["metadata"]["name"] == name:
                return {**o.get("data", {}), **o.get("stringData", {})}
        return None

    # --- what a container sees -------------------------------------------------------------

    def environment(self, pod: Pod, reveal: bool = False) -> dict[str, str]:
        """Names and values, as the kubelet makes them. Secrets are `<secret>` unless revealed, what
        differs from pod to pod is `<of the pod>`. What refers to something that is not there is
        left out: references.py tells it."""
        seen: dict[str, str] = {}
        for source in pod.container.get("envFrom", []):
            for kind, key in (("ConfigMap", "configMapRef"), ("Secret", "secretRef")):
                if key in source:
                    contents = self.contents(kind, source[key]["name"]) or {}
                    hide = kind == "Secret" and not reveal
                    seen |= {n: "<secret>" if hide else v for n, v in contents.items()}
        before: dict[str, str] = {}
        for variable in pod.container.get("env", []):
            value = self._value(variable, reveal)
            if value is not None:
                # $(NAME) is what was defined by name before, not what came in bulk.
                known = lambda match: before.get(match[1], match[0])
                before[variable["name"]] = re.sub(r"\$\(([A-Za-z0-9_]+)\)", known, value)
        return seen | before

    def _value(self, variable: dict, reveal: bool) -> str | None:
        if "valueFrom" not in variable:
            return variable.get("value", "")
        ((source, reference),) = variable["valueFrom"].items()
        if source == "configMapKeyRef":
            return (self.contents("ConfigMap", reference["name"]) or {}).get(reference["key"])
        if source == "secretKeyRef" and reveal:
            return (self.contents("Secret", reference["name"]) or {}).get(reference["key"])
        return "<secret>" if source == "secretKeyRef" else "<of the pod>"

    def files(self, pod: Pod) -> dict[str, FileSource]:
        """Every file that a volume of configuration or secrets puts into the container."""
        volumes = {v["name"]: v for v in pod.spec.get("volumes", [])}
        found: dict[str, FileSource] = {}
        for mount in pod.container.get("volumeMounts", []):
            for source in volume_sources(volumes.get(mount["name"], {})):
                contents = self.contents(source.kind, source.name) or {}
                items = source.items or {key: key for key in contents}
                for key, path in items.items():
                    if key in contents:
                        file = str(PurePosixPath(mount["mountPath"]) / path)
                        found[file] = FileSource(source.kind, source.name, key)
        return found


def _read(path: Path) -> list[dict]:
    objects = [o for o in yaml.safe_load_all(path.read_text()) if o]
    for o in objects:
        if o["kind"] == "Secret":
            o["data"] = {k: base64.b64decode(v).decode() for k, v in o.get("data", {}).items()}
    return objects


@dataclass(frozen=True)
class FileSource:
    """Where the content of a file comes from."""

    kind: str
    name: str
    key: str


@dataclass(frozen=True)
class VolumeSource:
    """One ConfigMap or Secret of a volume; `items` is empty when all its keys are meant."""

    kind: str
    name: str
    items: dict[str, str]
    optional: bool


def volume_sources(volume: dict) -> Iterator[VolumeSource]:
    parts = volume.get("projected", {}).get("sources", [volume])
    for part in parts:
        for kind, member in (("ConfigMap", "configMap"), ("Secret", "secret")):
            if member in part:
                source = part[member]
                yield VolumeSource(
                    kind,
                    source.get("name") or source["secretName"],
                    {i["key"]: i["path"] for i in source.get("items", [])},
                    source.get("optional", False),
                )


def selects(selector: dict, labels: dict[str, str]) -> bool:
    """Whether a label selector (matchLabels, matchExpressions; empty selects all) fits."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions", []):
        value = labels.get(expression["key"])
        match expression["operator"]:
            case "In":
                fits = value in expression["values"]
            case "NotIn":
                fits = value not in expression["values"]
            case "Exists":
                fits = value is not None
            case "DoesNotExist":
                fits = value is None
            case other:
                raise ValueError(f"operator {other}")
        if not fits:
            return False
    return True
