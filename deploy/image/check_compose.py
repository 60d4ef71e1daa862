"""Compares compose.yaml with the settings of the programs, then runs all of it from the image's root, in a network of
its own, up to an accepted verification. `make image-check`. Needs root, and a nats-server where `proofline dev` finds one."""

import base64
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from oci import Image, Root

COMPOSE = Path("deploy/compose.yaml")
PATIENCE_S = 60
# One grey pixel, a picture of nobody.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
TENANT_KEY = "demo-key"


def settings_of(root: Root, command: list[str]) -> dict[str, str]:
    """Every setting that this command documents, and what it says of its default."""
    question = "--settings" if command[1:] else "--help"
    code, said = root.run([*command, question])
    assert code == 0, said
    return dict(re.findall(r"^  ([A-Z][A-Z0-9_]+) +(required|default \S+)", said, re.M))


def check_settings(name: str, service: dict, root: Root) -> None:
    known, given = settings_of(root, service["command"]), service.get("environment", {})
    unknown = given.keys() - known.keys()
    missing = {setting for setting, default in known.items() if default == "required"} - given.keys()
    assert not unknown and not missing, f"{name}: unknown {unknown}, missing {missing}"

    def port(setting: str) -> str:
        return given.get(setting, known.get(setting, "none")).rpartition(":")[2]

    listens = [port(setting) for setting in known if setting.endswith("_LISTEN")]
    for published in service.get("ports", []):
        address, outside, inside = published.split(":")
        assert address == "127.0.0.1" and outside == inside and inside in listens, f"{name}: {published}"
    if health := service.get("healthcheck"):
        [asked] = re.findall(r"^http://127\.0\.0\.1:(\d+)/", health["test"][-1])
        assert asked in listens, f"{name}: nothing listens on {asked}"


def hosts(services: dict) -> str:
    """Every name that a service has inside. The ports differ, so they can share an address."""
    names = []
    for name, service in services.items():
        networks = service.get("networks", {})
        names += [name, *(alias for network in networks.values() for alias in network["aliases"])]
    return "".join(f"127.0.0.1 {name}\n" for name in names)


class Run:
    """What compose would run, in one root and one network."""

    def __init__(self, compose: dict, root: Root, logs: Path, stack: contextlib.ExitStack):
        self.services, self.root, self.logs, self.stack = compose["services"], root, logs, stack
        root.put("/etc/hosts", hosts(self.services))
        for service in self.services.values():
            for config in service.get("configs", []):
                root.put(config["target"], compose["configs"][config["source"]]["content"])

    def up(self, name: str) -> None:
        """Starts a service once what it depends on is as it asks for."""
        service = self.services[name]
        log = self.stack.enter_context((self.logs / f"{name}.log").open("w"))
        output = {"stdout": log, "stderr": log}
        if name == "nats":
            config = self.logs / "nats.conf"
            mounted = self.root.folder / service["command"][-1].lstrip("/")
            config.write_text(mounted.read_text().replace('"/data"', f'"{self.logs / "nats"}"'))
            process = subprocess.Popen([nats_server(), "--config", config], **output)
        else:
            process = self.root.start(service["command"], service["environment"], **output)
        self.stack.callback(stop, name, process)
        if name == "provision":
            assert process.wait(PATIENCE_S) == 0, self.told(name)

    def wait_until_healthy(self, name: str) -> None:
        until = time.monotonic() + PATIENCE_S
        test = self.services[name]["healthcheck"]["test"]
        assert test[0] == "CMD", test
        while True:
            code, said = self.root.run(test[1:])
            if code == 0:
                return
            assert time.monotonic() < until, f"{name}: {said}\n{self.told(name)}"
            time.sleep(0.1)

    def told(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text()


def stop(name: str, process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    code = process.wait(15)
    # A nats-server tells with 1 that it was asked to stop.
    assert code == 0 or name == "nats", f"{name}: exit code {code}"


def nats_server() -> str:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cached = sorted(cache.glob("proofline/nats-server-*/nats-server"))
    found = os.environ.get("PROOFLINE_NATS_SERVER") or shutil.which("nats-server") or (cached and cached[-1])
    assert found, "a nats-server is needed; `make demo` fetches one"
    return str(found)


def check_run(compose: dict, image: Image) -> None:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        root = image.unpack(folder / "root")
        (root.folder / "front.png").write_bytes(base64.b64decode(PICTURE))
        run = Run(compose, root, folder, stack)
        services = list(compose["services"])
        for name in services:
            run.up(name)
        for name in services:
            if "healthcheck" in compose["services"][name]:
                run.wait_until_healthy(name)
        verify = ["/usr/bin/proofline", "verify", "--process-type", "document", "--front", "/front.png"]
        code, said = root.run(verify, {"PROOFLINE_API_KEY": TENANT_KEY})
        assert code == 0 and "The verification ended accepted." in said, said
        assert "callback-receiver" in said, f"no callback came:\n{said}"
    print("  all of it runs from the image: healthy, one verification accepted after its callback, stopped")


def enter_own_network() -> None:
    """Starts this program again where nothing else listens."""
    entered = "--in-own-network"
    if entered not in sys.argv:
        command = ["unshare", "--net", sys.executable, *sys.argv, entered]
        os.execvp(command[0], command)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def main() -> None:
    assert os.geteuid() == 0, "compose.yaml is run in a network of its own, which needs root"
    enter_own_network()
    compose = yaml.safe_load(COMPOSE.read_text())
    image = Image()
    print(f"{COMPOSE}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = image.unpack(Path(folder, "root"))
        ours = {name: service for name, service in compose["services"].items() if service["image"] == "proofline"}
        for name, service in ours.items():
            check_settings(name, service, root)
        print(f"  {len(ours)} services have every setting they need, and none that they don't know")
    check_run(compose, image)


if __name__ == "__main__":
    main()
