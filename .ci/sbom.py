"""Writes what the binaries are made of, as CycloneDX 1.6 JSON: the same for the same Cargo.lock.

`cargo metadata` says what is linked (no dev-dependencies), Cargo.lock what it hashes to.
"""

import json
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"


def metadata() -> dict:
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def linked(document: dict) -> dict[str, list[str]]:
    """Every package that a binary of the workspace needs, with what it needs itself."""
    nodes = {node["id"]: node for node in document["resolve"]["nodes"]}
    binaries = [
        package["id"]
        for package in document["packages"]
        if package["id"] in document["workspace_members"] and any("bin" in target["kind"] for target in package["targets"])
    ]
    found: dict[str, list[str]] = {}
    waiting = sorted(binaries)
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        needs = [dep["pkg"] for dep in nodes[package]["deps"] if any(kind["kind"] != "dev" for kind in dep["dep_kinds"])]
        found[package] = sorted(needs)
        waiting.extend(needs)
    return found


def component(package: dict, checksums: dict) -> dict:
    name, version = package["name"], package["version"]
    purl = f"pkg:cargo/{name}@{version}"
    made = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if package["license"]:
        made["licenses"] = [{"expression": " ".join(package["license"].replace("/", " OR ").split())}]
    if checksum := checksums.get((name, version)):
        made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return made


def main(target: Path) -> None:
    lock = Path("Cargo.lock").read_bytes()
    checksums = {
        (package["name"], package["version"]): package["checksum"]
        for package in tomllib.loads(lock.decode())["package"]
        if package.get("source") == REGISTRY
    }
    document = metadata()
    packages = {package["id"]: package for package in document["packages"]}
    needs = linked(document)
    ref = {key: f"pkg:cargo/{packages[key]['name']}@{packages[key]['version']}" for key in needs}
    version = next(package["version"] for package in document["packages"] if package["name"] == "proofline")
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, lock.decode())}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "proofline", "name": "proofline", "version": version}},
        "components": sorted((component(packages[key], checksums) for key in needs), key=lambda made: made["bom-ref"]),
        "dependencies": sorted(
            ({"ref": ref[key], "dependsOn": sorted({ref[need] for need in needs[key]})} for key in needs), key=lambda made: made["ref"]
        ),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bom, indent=2) + "\n")
    print(f"{target}: {len(needs)} packages")


main(Path(sys.argv[1]))
