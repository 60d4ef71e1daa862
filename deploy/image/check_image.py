"""Looks at everything in the image, and runs each program in its root as the image's user. `make image-check`."""

import contextlib
import http.server
import json
import os
import re
import signal
import ssl
import stat
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from oci import USER, Image, Root

FILES = Path("deploy/image/files.txt")
MIB = 1 << 20
# What no service should exceed, and what none may exceed now. `proofline` has all of them in it, for `proofline dev`.
AIM_MIB = 10
LIMIT_MIB = {"proofline": 25}
LIMIT_OF_A_SERVICE_MIB = 16
# 32 bytes of nothing.
KEY = "check:" + "A" * 43 + "="
SERVICES = ["callback-receiver", "intake", "result-normaliser", "upload", "verifier"]
PROGRAMS = ["assure-simulator", "proofline", *(f"proofline-{service}" for service in SERVICES)]


def check_description(image: Image) -> None:
    config, annotations = image.config["config"], image.manifest["annotations"]
    assert config["User"] == f"{USER}:{USER}", config
    assert config["Env"] == ["PATH=/usr/bin"] and "Entrypoint" not in config, config
    assert config["Labels"] == {name: annotations[name] for name in config["Labels"]}, annotations
    for name in ["title", "licenses", "revision"]:
        print(f"  {name:<10} {config['Labels'][f'org.opencontainers.image.{name}']}")


def check_files(image: Image) -> None:
    members = image.members()
    listed = [
        f"{stat.filemode(member.mode | (stat.S_IFDIR if member.isdir() else stat.S_IFREG))} "
        f"{member.uid}:{member.gid} /{member.name}\n"
        for member in members
    ]
    assert all(member.isdir() or member.isfile() for member in members), "only folders and files"
    seen = Path("target/image/files.txt")
    seen.write_text("".join(listed))
    difference = ["diff", "--unified=0", "--ignore-matching-lines=^#", FILES, seen]
    assert subprocess.run(difference).returncode == 0, f"not what {FILES} lists"
    print(f"  {len(listed)} files and folders, as listed in {FILES}")


def check_sizes(image: Image) -> None:
    sizes = {member.name: member.size for member in image.members()}
    for program in PROGRAMS:
        size = sizes[f"usr/bin/{program}"]
        limit = LIMIT_MIB.get(program, LIMIT_OF_A_SERVICE_MIB)
        assert size <= limit * MIB, f"{program} has {size / MIB:.1f} MiB, more than {limit}"
        above = f", above the {AIM_MIB} aimed at" if size > AIM_MIB * MIB else ""
        print(f"  {size / MIB:5.1f} MiB  {program}{above}")
    rest = sum(size for name, size in sizes.items() if not name.startswith("usr/bin/"))
    print(f"  {rest / MIB:5.1f} MiB  libraries, CA bundle, licences")
    print(f"  {sum(sizes.values()) / MIB:5.1f} MiB in all, {image.compressed / MIB:.1f} MiB compressed")


def check_authorities(root: Root) -> None:
    bundle = (root.folder / "etc/ssl/certs/ca-certificates.crt").read_text()
    debian = len(list(Path("/usr/share/ca-certificates/mozilla").glob("*.crt")))
    assert bundle.count("BEGIN CERTIFICATE") == debian > 100, "one for each of Debian's"
    print(f"  {debian} authorities")


def check_programs(root: Root) -> None:
    assert sorted(path.name for path in (root.folder / "usr/bin").iterdir()) == PROGRAMS
    for program in PROGRAMS:
        for argument in ["--help", "--version"]:
            code, said = root.run([f"/usr/bin/{program}", argument])
            assert code == 0 and program in said, f"{program} {argument}: {code}: {said}"
    print(f"  {len(PROGRAMS)} programs answer --help and --version")


def check_a_service(root: Root) -> None:
    """A service without its NATS: alive, unready, and gone when asked."""
    root.put("/etc/hosts", "127.0.0.1 callbacks.example\n")
    settings = {
        "PROOFLINE_LISTEN": "127.0.0.1:0",
        "PROOFLINE_ADMIN_LISTEN": "127.0.0.1:0",
        "PROOFLINE_NATS_URL": "nats://127.0.0.1:9",
        "PROOFLINE_TOKEN_KEYS": KEY,
    }
    with tempfile.TemporaryFile("w+") as log:
        service = root.start(["/usr/bin/proofline-callback-receiver"], settings, stdout=log, stderr=log)
        try:
            port = wait_for(log, service, r'admin endpoints are listening.*?"address":"127\.0\.0\.1:(\d+)"')
            ids = Path(f"/proc/{service.pid}/status").read_text()
            if os.geteuid() == 0:
                assert re.search(rf"^Uid:(\t{USER}){{4}}$", ids, re.M) and re.search(rf"^Gid:(\t{USER}){{4}}$", ids, re.M), ids
                assert re.search(r"^CapEff:\t0+$", ids, re.M), ids
            expect_health(root, f"http://callbacks.example:{port}/livez", 0, "")
            expect_health(root, f"http://127.0.0.1:{port}/readyz", 1, "503 Service Unavailable: nats: ")
        finally:
            service.send_signal(signal.SIGTERM)
            code = service.wait(timeout=15)
        assert code == 0, f"exit code {code}"
    print(f"  callback-receiver listens as {USER}, finds names in /etc/hosts, and stops")


def wait_for(log, process: subprocess.Popen, pattern: str) -> str:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        log.seek(0)
        if found := re.search(pattern, log.read()):
            return found[1]
        time.sleep(0.05)
    log.seek(0)
    raise AssertionError(f"no {pattern} in\n{log.read()}")


def expect_health(root: Root, url: str, code: int, complaint: str, settings: dict[str, str] = {}) -> None:
    got, said = root.run(["/usr/bin/proofline", "health", url], settings)
    assert got == code and complaint in said and (said == "") == (code == 0), f"{url}: {got}: {said}"


def check_tls(root: Root) -> None:
    """A server whose authority is not in the bundle is refused, unless SSL_CERT_FILE names it."""
    with tempfile.TemporaryDirectory() as folder:
        authority, key, certificate = (Path(folder, name) for name in ["ca.pem", "key.pem", "server.pem"])
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
        new = ["openssl", "req", "-x509", *new_key]
        openssl = lambda command: subprocess.run(command, check=True, capture_output=True)
        openssl([*new, "-subj", "/CN=An authority", "-keyout", f"{folder}/ca.key", "-out", authority])
        signed = ["-CA", authority, "-CAkey", f"{folder}/ca.key", "-addext", "subjectAltName=IP:127.0.0.1"]
        leaf = ["-addext", "basicConstraints=critical,CA:FALSE"]
        openssl([*new, "-subj", "/CN=A server", *signed, *leaf, "-keyout", key, "-out", certificate])

        with a_server(certificate, key) as url:
            expect_health(root, url, 1, "UnknownIssuer")
            root.put("/etc/proofline/ca.pem", authority.read_text())
            expect_health(root, url, 0, "", {"SSL_CERT_FILE": "/etc/proofline/ca.pem"})
    print("  TLS refuses an unknown authority, and takes the one in SSL_CERT_FILE")


@contextlib.contextmanager
def a_server(certificate: Path, key: Path):
    class Quiet(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    class Patient(http.server.HTTPServer):
        def handle_error(self, *_):
            """A client that does not trust us is what we look for."""

    server = Patient(("127.0.0.1", 0), Quiet)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    image = Image()
    print(f"image {image.digest}")
    check_description(image)
    check_files(image)
    check_sizes(image)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = image.unpack(Path(folder, "root"))
        check_authorities(root)
        check_programs(root)
        check_a_service(root)
        check_tls(root)


if __name__ == "__main__":
    main()
