"""The environment of each program against what it reads (`proofline describe settings`)."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Iterator

from manifests import Manifests, Pod

# Read by OpenTelemetry's own libraries, as its specification says.
OPENTELEMETRY = re.compile(
    r"OTEL_(RESOURCE_ATTRIBUTES|TRACES_SAMPLER(_ARG)?|METRIC_EXPORT_INTERVAL|BSP_[A-Z_]+"
    r"|EXPORTER_OTLP_(TRACES_|METRICS_)?(HEADERS|TIMEOUT))"
)

# Neither is required, but one of them is.
ONE_OF = {
    "proofline-upload": ("PROOFLINE_TOKEN_KEYS", "PROOFLINE_KEYS"),
    "proofline-callback-receiver": ("PROOFLINE_TOKEN_KEYS", "PROOFLINE_KEYS"),
}

# In the base these differ from the program's default, which is for a laptop.
ELSEWHERE = {
    "PROOFLINE_NATS_URL",
    "PROOFLINE_PUBLIC_URL",
    "PROOFLINE_UPLOAD_URL",
    "PROOFLINE_API_URL",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_RESOURCE_ATTRIBUTES",
}


@dataclass
class Reference:
    """What every program reads."""

    programs: dict[str, dict[str, dict]]

    @classmethod
    def parse(cls, text: str) -> Reference:
        programs = json.loads(text)["programs"]
        return cls({p["command"]: {s["name"]: s for s in p["settings"]} for p in programs})


def program_of(pod: Pod) -> str | None:
    """`/usr/bin/proofline provision` is `proofline provision`; nothing for another's image."""
    command = pod.container.get("command", [])
    image = pod.container["image"].split("@")[0].split("/")[-1].split(":")[0]
    if not command or image != "proofline":
        return None
    return " ".join([PurePosixPath(command[0]).name, *command[1:], *pod.container.get("args", [])])


def faults(manifests: Manifests, reference: Reference) -> Iterator[str]:
    for pod in manifests.pods():
        program = program_of(pod)
        if program is None:
            continue
        if program not in reference.programs:
            yield f"{pod.workload}: there is no program `{program}`"
            continue
        if not pod.container["command"][0].startswith("/usr/bin/"):
            yield f"{pod.workload}: the image has its programs in /usr/bin"
        for fault in _environment(manifests, pod, program, reference.programs[program]):
            yield f"{pod.workload}: {fault}"
        for fault in _tenants(manifests, pod, program):
            yield f"{pod.workload}: {fault}"


def _environment(
    manifests: Manifests, pod: Pod, program: str, settings: dict[str, dict]
) -> Iterator[str]:
    environment = manifests.environment(pod)
    given = {name: value for name, value in environment.items() if value != ""}
    files = manifests.files(pod)
    file_names = {s["file_name"]: name for name, s in settings.items() if s["file_name"]}

    for name in environment:
        known = name in settings or name in file_names
        if not known and not OPENTELEMETRY.fullmatch(name):
            yield f"{program} does not know {name}"
    for name, setting in settings.items():
        ways = [way for way in (name, setting["file_name"]) if way in given]
        if setting["required"] and not ways:
            yield f"{name} is required"
        if len(ways) > 1:
            yield f"{name} is given twice"
        if setting["secret"] and name in given:
            yield f"{name} is a secret and belongs in a file ({setting['file_name']})"
    alternatives = ONE_OF.get(program, ())
    if alternatives and not any(n in given or f"{n}_FILE" in given for n in alternatives):
        yield f"one of {', '.join(alternatives)} is required"

    for name, value in given.items():
        is_path = name in file_names or settings.get(name, {}).get("unit") == "path"
        if is_path and value not in files:
            yield f"{name}: no volume brings {value}"
        if name in file_names and value in files and files[value].kind != "Secret":
            yield f"{name}: {value} is of a {files[value].kind}, which is no place for a secret"


def _tenants(manifests: Manifests, pod: Pod, program: str) -> Iterator[str]:
    """The tenants file names files of its own; each program reads those that it needs."""
    files = manifests.files(pod)
    source = files.get(manifests.environment(pod).get("PROOFLINE_TENANTS_FILE", ""))
    if source is None:
        return
    tenants = tomllib.loads(manifests.contents(source.kind, source.name)[source.key])["tenants"]
    for name, tenant in tenants.items():
        if program == "proofline-callback-receiver":
            file = tenant.get("events_secret_file")
        elif program == "proofline provision":
            file = None
        else:
            file = tenant.get("assure", {}).get("client_secret_file")
        if file and file not in files:
            yield f"tenant {name}: no volume brings {file}"


def base_faults(env_file: str, reference: Reference) -> Iterator[str]:
    """The base's settings.env has the defaults that the programs have."""
    settings = {n: s for program in reference.programs.values() for n, s in program.items()}
    for name, value in parse_env(env_file).items():
        if name in ELSEWHERE:
            continue
        if name not in settings:
            yield f"base/settings.env: no program knows {name}"
        elif settings[name]["secret"]:
            yield f"base/settings.env: {name} is a secret"
        elif (settings[name]["default"] or "") != value:
            yield f"base/settings.env: the default of {name} is {settings[name]['default']}"


def unused(manifests: Manifests) -> Iterator[str]:
    """A setting in the ConfigMap that no workload is given does nothing."""
    used = {
        variable.get("valueFrom", {}).get("configMapKeyRef", {}).get("key")
        for pod in manifests.pods()
        for variable in pod.container.get("env", [])
    }
    for config in manifests.of_kind("ConfigMap"):
        if config["metadata"]["name"].startswith("settings"):
            for name in sorted(set(config["data"]) - used):
                yield f"settings: {name} reaches no workload"


def parse_env(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
