"""Runs an overlay on this machine as it is rendered: the exact commands, environments and files. A
verification of each flow must end well, and everything must stop as asked.

run_manifests.py RENDERED PROGRAMS development|production

Needs root, for the namespaces of sandbox.py. In production there are three nats-servers with TLS, and
the simulator stands where api.signicat.com would. What an operator brings is made here: secrets after
secrets.template.yaml, certificates, and an API key for the tenant.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from manifests import FileSource, Manifests, Pod, selects
from sandbox import Authority, Sandbox, sh

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy/kubernetes/overlays/production/secrets.template.yaml"
ASSURE = "api.signicat.com"
# API key of a tenant, and a page of its web origins.
CALLERS = {
    "development": ("demo-key", "http://127.0.0.1:3000/done"),
    "production": ("a-key-of-this-run", "https://app.acme.example/done"),
}
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


class Run:
    def __init__(self, manifests: Manifests, directory: Path, programs: Path, nats_server: Path):
        self.manifests = manifests
        self.api_key, self.application = CALLERS[manifests.name]
        self.authority = Authority(directory)
        self.sandbox = Sandbox(directory, programs, nats_server)
        self.ingress_hosts = {
            rule["host"]: rule["http"]["paths"][0]["backend"]["service"]
            for ingress in manifests.of_kind("Ingress")
            for rule in ingress["spec"]["rules"]
        }
        self.context = ssl.create_default_context(cafile=str(directory / "ca.crt"))
        self._bring_secrets()

    def _bring_secrets(self) -> None:
        """What the template lists, with values as it says they are made."""
        crt, key = self.authority.certificate("nats", f"*.nats.{self.manifests.namespace}.svc")
        ca = (self.authority.directory / "ca.crt").read_text()
        tls = {"tls.crt": Path(crt).read_text(), "tls.key": Path(key).read_text(), "ca.crt": ca}
        for brought in self.manifests.brought:
            data = brought.get("stringData") or brought["data"]
            for name in data:
                if name in tls:
                    data[name] = tls[name]
                elif name.endswith("keys"):
                    data[name] = "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
                else:
                    data[name] = "p" + secrets.token_hex(24)
        for config in self.manifests.of_kind("ConfigMap"):
            if config["metadata"]["name"].startswith("tenants"):
                text = config["data"]["tenants.toml"]
                digest = hashlib.sha256(self.api_key.encode()).hexdigest()
                config["data"]["tenants.toml"] = text.replace("0" * 64, digest)

    # --- the cluster ---------------------------------------------------------------------------

    def start(self) -> None:
        namespace = self.manifests.namespace
        pods = self.manifests.pods()
        self.addresses = {}
        for pod in pods:
            for name in self._names(pod):
                hosts = [f"{name}.{pod.workload}.{namespace}.svc"] if pod.kind == "StatefulSet" else []
                self.addresses[name] = self.sandbox.address(*hosts)
        self._services()
        if self.manifests.name == "production":
            self._assure()
        else:
            # As `kubectl port-forward` does.
            self.sandbox.forward("127.0.0.1", 8090, (self.addresses["assure-simulator"], 8090))
        # So that this very program can call by name.
        hosts = self.sandbox.directory / "hosts"
        hosts.write_text("".join(f"{a} {n}\n" for n, a in self.sandbox.hosts.items()))
        sh("mount", "--bind", hosts, "/etc/hosts")

        order = {"StatefulSet": 0, "Job": 1, "Deployment": 2}
        # All together, as `kubectl apply` does: whoever is early waits.
        for pod in sorted(pods, key=lambda p: order[p.kind]):
            for name in self._names(pod):
                self._start_pod(pod, name)
        for pod in sorted(pods, key=lambda p: order[p.kind]):
            for name in self._names(pod):
                self._until_done(pod) if pod.kind == "Job" else self._until_ready(pod, name)

    def _names(self, pod: Pod) -> list[str]:
        if pod.kind == "StatefulSet":
            return [f"{pod.workload}-{n}" for n in range(pod.manifest["spec"]["replicas"])]
        return [pod.workload]

    def _services(self) -> None:
        namespace = self.manifests.namespace
        for service in self.manifests.of_kind("Service"):
            name = service["metadata"]["name"]
            selector = {"matchLabels": service["spec"]["selector"]}
            (pod,) = [p for p in self.manifests.pods() if selects(selector, p.labels)]
            if service["spec"].get("clusterIP") == "None":
                # Its name is that of its pods; one of them does here.
                self.sandbox.hosts[name] = self.addresses[self._names(pod)[0]]
                continue
            address = self.sandbox.address(name, f"{name}.{namespace}.svc")
            for port in service["spec"]["ports"]:
                target = (self.addresses[pod.workload], pod.ports()[port["targetPort"]])
                self.sandbox.forward(address, port["port"], target)
        for host, backend in self.ingress_hosts.items():
            (pod,) = [p for p in self.manifests.pods() if p.workload == backend["name"]]
            target = (self.addresses[pod.workload], pod.ports()["http"])
            tls = self.authority.certificate(host, host)
            self.sandbox.forward(self.sandbox.address(host), 443, target, tls)

    def _assure(self) -> None:
        """The simulator, behind TLS, under Assure's name."""
        (settings,) = [
            config["data"]
            for config in self.manifests.of_kind("ConfigMap")
            if config["metadata"]["name"].startswith("settings")
        ]
        address = self.sandbox.address()
        front = self.sandbox.address(ASSURE)
        environment = {
            "SIMULATOR_LISTEN": "0.0.0.0:8090",
            "SIMULATOR_PUBLIC_URL": f"https://{ASSURE}",
            "SIMULATOR_CLIENT_ID": settings["ASSURE_CLIENT_ID"],
            "SIMULATOR_CLIENT_SECRET": self.manifests.contents("Secret", "assure-account")["client-secret"],
            "SIMULATOR_WEBHOOK_URL": f"{settings['PROOFLINE_PUBLIC_URL']}/events/acme",
            "SIMULATOR_WEBHOOK_SECRET": self.manifests.contents("Secret", "webhook")["secret"],
        }
        self.sandbox.pod("assure", address, ["/usr/bin/assure-simulator"], environment, {})
        self.sandbox.forward(front, 443, (address, 8090), self.authority.certificate(ASSURE, ASSURE))

    def _start_pod(self, pod: Pod, name: str) -> None:
        self.sandbox.pod(
            name,
            self.addresses[name],
            pod.container["command"],
            self._environment(pod, name),
            {path: self._content(source) for path, source in self.manifests.files(pod).items()},
            data=any(m["mountPath"] == "/data" for m in pod.container.get("volumeMounts", [])),
        )

    def _environment(self, pod: Pod, name: str) -> dict[str, str]:
        environment = self.manifests.environment(pod, reveal=True)
        return {n: name if v == "<of the pod>" else v for n, v in environment.items()}

    def _content(self, source: FileSource) -> str:
        return self.manifests.contents(source.kind, source.name)[source.key]

    def _until_ready(self, pod: Pod, name: str) -> None:
        probe = pod.container["readinessProbe"].get("httpGet")
        if probe is None:
            return
        url = f"http://{self.addresses[name]}:{pod.ports()[probe['port']]}{probe['path']}"
        until = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(url, timeout=3):
                    say(f"{name} is ready")
                    return
            except (urllib.error.URLError, OSError) as error:
                answer = error.read().decode() if isinstance(error, urllib.error.HTTPError) else error
                if time.monotonic() > until or self.sandbox.processes[name].poll() is not None:
                    raise SystemExit(f"{name} is not ready: {answer}\n{self.log(name)}")
                time.sleep(0.2)

    def _until_done(self, pod: Pod) -> None:
        """A Job is started again until it succeeds."""
        for _ in range(pod.manifest["spec"]["backoffLimit"]):
            if self.sandbox.processes[pod.workload].wait(120) == 0:
                say(f"{pod.workload} is done")
                return
            time.sleep(1)
            self._start_pod(pod, pod.workload)
        raise SystemExit(f"{pod.workload} does not succeed\n{self.log(pod.workload)}")

    def log(self, name: str) -> str:
        return "\n".join((self.sandbox.directory / f"{name}.log").read_text().splitlines()[-12:])

    def stop(self) -> list[str]:
        """SIGTERM to every service, then to NATS; what did not end as it should."""
        faults = []
        for pod in sorted(self.manifests.pods(), key=lambda p: p.kind == "StatefulSet"):
            for name in self._names(pod):
                if pod.kind == "Job":
                    del self.sandbox.processes[name]
                    continue
                code = self.sandbox.stop(name, pod.spec["terminationGracePeriodSeconds"])
                # nats-server says by 1 that a signal stopped it.
                if code != 0 and not (pod.kind == "StatefulSet" and code == 1):
                    faults.append(f"{name} ended with {code}\n{self.log(name)}")
        if "assure" in self.sandbox.processes:
            self.sandbox.stop("assure", 10)
        return faults

    # --- what a caller does --------------------------------------------------------------------

    def call(self, method: str, url: str, body=None, key: bool = True, **headers: str):
        if isinstance(body, dict):
            body, headers = json.dumps(body).encode(), {"content-type": "application/json", **headers}
        if key:
            headers["authorization"] = f"Bearer {self.api_key}"
        request = urllib.request.Request(url, body, headers, method=method)
        https = urllib.request.HTTPSHandler(context=self.context)
        opener = urllib.request.build_opener(https, _NoRedirect)
        try:
            return opener.open(request, timeout=90)
        except urllib.error.HTTPError as answer:
            if answer.code < 400:
                return answer
            raise SystemExit(f"{method} {url}: {answer.code} {answer.read().decode()[:500]}")

    def verify(self, title: str, body: dict, visit: str | None = None) -> None:
        api = f"http://intake.{self.manifests.namespace}.svc/v1/verifications"
        with self.call("POST", api, {"reference": "deploy-run", **body}) as answer:
            created = json.load(answer)
        action = created["next_action"]
        if action["type"] == "upload_images":
            for depiction in body["submit_when"]:
                self.call("PUT", action["upload_urls"][depiction], PIXEL, key=False, **{"content-type": "image/png"})
        elif action["type"] == "redirect":
            self._visit(action["url"], visit)
        with self.call("GET", f"{api}/{created['id']}", prefer="wait=60") as answer:
            ended = json.load(answer)
        if ended["outcome"] != "accepted":
            raise SystemExit(f"{title}: {json.dumps(ended)[:800]}")
        with self.call("GET", f"{api}/{created['id']}/result") as answer:
            assert json.load(answer)["outcome"] == "accepted"
        with self.call("GET", f"{api}/{created['id']}/events") as answer:
            events = [e["type"].rsplit(".")[-1] for e in json.load(answer)["events"]]
        say(f"{title}: accepted ({', '.join(events)})")

    def _visit(self, page: str, choice: str | None) -> None:
        """The end-user opens the page, chooses, and follows each address to the application."""
        self.call("GET", page, key=False)
        form = urllib.parse.urlencode({"choice": choice}).encode()
        answer = self.call("POST", page, form, key=False)
        back = answer.headers["location"]
        on = self.call("GET", back, key=False).headers["location"]
        if not on.startswith(self.application):
            raise SystemExit(f"the end-user lands at {on[:80]}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def say(text: str) -> None:
    print(text, flush=True)


def find_nats_server() -> Path:
    """As the tests find it; they have fetched it before this is run."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "proofline"
    found = [
        os.environ.get("PROOFLINE_NATS_SERVER"),
        *sorted(cache.glob("nats-server-*/nats-server"), reverse=True),
        shutil.which("nats-server"),
    ]
    for path in filter(None, found):
        return Path(path)
    sys.exit("no nats-server: `make demo` fetches it, or set PROOFLINE_NATS_SERVER")


def flows(run: Run) -> None:
    run.verify(
        "document",
        {
            "flow": "document",
            "provider": "onfido",
            "process_type": "documentSelfie",
            "document": {"type": "passport", "country": "NOR"},
            "submit_when": ["front", "selfie"],
        },
    )
    capture = {"flow": "capture", "provider": "signicatpictureid", "return_url": run.application}
    run.verify("capture", capture, visit="done")
    eid = {"flow": "eid", "provider": "connect:idin", "return_url": run.application}
    run.verify("eid", eid, visit="accepted")


def main(rendered: Path, programs: Path, overlay: str) -> int:
    template = TEMPLATE if overlay == "production" else None
    manifests = Manifests.load(rendered / f"{overlay}.yaml", template)
    directory = Path(tempfile.mkdtemp(prefix="proofline-manifests-"))
    directory.chmod(0o755)
    run = Run(manifests, directory, programs, find_nats_server())
    services = [p.workload for p in manifests.pods() if p.kind == "Deployment"]
    try:
        run.start()
        flows(run)
        faults = run.stop()
    finally:
        for process in run.sandbox.processes.values():
            process.kill()
    for name in services:
        # A right on NATS that is missing, or a misspelt setting, may go unnoticed otherwise.
        log = (directory / f"{name}.log").read_text()
        unwanted = re.findall(r".*(?:Permissions Violation|settings that this program does not know).*", log)
        faults += [f"{name}: {line}" for line in unwanted]
    for fault in faults:
        say(f"FAULT {fault}")
    if not faults:
        shutil.rmtree(directory)
        say(f"{overlay}: a verification of each flow was accepted, and all stopped as asked")
    return 1 if faults else 0


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("run_manifests.py needs root, for network and mount namespaces")
    if os.environ.get("PROOFLINE_SANDBOX") != "1":
        os.environ["PROOFLINE_SANDBOX"] = "1"
        private = ["unshare", "--net", "--mount", "--propagation", "private"]
        os.execvp("unshare", [*private, sys.executable, *sys.argv])
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
