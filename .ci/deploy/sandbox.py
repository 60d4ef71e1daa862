"""A cluster of one machine: each pod has a network, a root and a user of its own, made with Linux
namespaces, so that commands, environments, files, names and ports are those of the manifests.

Not Kubernetes: nothing schedules, nothing enforces network policies, and an image is a directory."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import subprocess
import threading
from pathlib import Path

USER = 65532
LIBRARIES = ["/lib", "/lib64", "/usr/lib"]

# Makes the root in which the pod sees its image (read-only), its volumes, and nothing else.
START = """
set -e
root=$1 user=$2; shift 2
mount -t tmpfs tmpfs "$root"
cp -a "$root.files/." "$root/"
mkdir -p "$root/usr/bin" "$root/proc" "$root/dev"
for library in {libraries}; do
  [ -e "$library" ] || continue
  mkdir -p "$root$library"; mount --bind "$library" "$root$library"
done
mount --bind {programs} "$root/usr/bin"
touch "$root/nats-server"; mount --bind {nats_server} "$root/nats-server"
mount --bind /dev "$root/dev"; mount --bind /proc "$root/proc"
mount -o remount,ro "$root"
if [ -d "$root.data" ]; then mount --bind "$root.data" "$root/data"; fi
exec chroot --userspec="$user:$user" "$root" "$@"
"""


def sh(*command: str | Path, **options) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


class Sandbox:
    """The network that all are in, and the pods."""

    def __init__(self, directory: Path, programs: Path, nats_server: Path):
        self.directory = directory
        self.hosts: dict[str, str] = {"localhost": "127.0.0.1"}
        self.processes: dict[str, subprocess.Popen] = {}
        self._used = 0
        self.start = START.format(
            libraries=" ".join(LIBRARIES), programs=programs.resolve(), nats_server=nats_server.resolve()
        )
        sh("ip", "link", "set", "lo", "up")
        sh("ip", "link", "add", "br0", "type", "bridge")
        sh("ip", "link", "set", "br0", "up")
        os.makedirs("/run/netns", exist_ok=True)
        sh("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def address(self, *names: str) -> str:
        """The next address, by these names."""
        self._used += 1
        address = f"10.77.{self._used // 250}.{self._used % 250 + 1}"
        self.hosts |= {name: address for name in names}
        return address

    def pod(
        self,
        name: str,
        address: str,
        command: list[str],
        environment: dict[str, str],
        files: dict[str, str],
        data: bool = False,
    ) -> subprocess.Popen:
        """Starts the container of a pod. Its `/etc/hosts` has all names given so far."""
        root = self.directory / name
        if not root.exists():
            root.mkdir()
            self._wire(name, address)
            if data:
                Path(f"{root}.data").mkdir()
                os.chown(f"{root}.data", USER, USER)
        self._write_files(Path(f"{root}.files"), files, data)
        log = (self.directory / f"{name}.log").open("ab")
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, "sh", "-c", self.start, "sh", str(root), str(USER), *command],
            env={**environment, "PATH": os.environ["PATH"]},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self.processes[name] = process
        return process

    def _wire(self, name: str, address: str) -> None:
        link = f"v{len(self.processes)}"
        sh("ip", "netns", "add", name)
        sh("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
        sh("ip", "link", "set", link, "master", "br0", "up")
        sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "-n", name, "address", "add", f"{address}/16", "dev", "eth0")
        sh("ip", "-n", name, "link", "set", "eth0", "up")

    def _write_files(self, place: Path, files: dict[str, str], data: bool) -> None:
        shutil.rmtree(place, ignore_errors=True)
        of_image = {
            "/etc/hosts": "".join(f"{a} {n}\n" for n, a in self.hosts.items()),
            "/etc/nsswitch.conf": "hosts: files\n",
            "/etc/ssl/certs/ca-certificates.crt": (self.directory / "ca.crt").read_text(),
        }
        for path, content in {**of_image, **files}.items():
            file = place / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            os.chown(file, 0, USER)
            file.chmod(0o440 if path in files else 0o444)
        if data:
            (place / "data").mkdir()

    def forward(self, address: str, port: int, to: tuple[str, int], tls: tuple[str, str] | None = None):
        """Stands for a Service, or with a certificate for an Ingress or Assure's own front."""
        sh("ip", "address", "replace", f"{address}/16", "dev", "br0")
        context = None
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)

        async def serve(reader, writer):
            try:
                far_reader, far_writer = await asyncio.open_connection(*to)
            except OSError:
                writer.close()
                return
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

        server = asyncio.start_server(serve, address, port, ssl=context)
        asyncio.run_coroutine_threadsafe(server, self._loop).result()

    def stop(self, name: str, seconds: float) -> int | None:
        """SIGTERM; the exit code, or nothing when it had to be killed."""
        process = self.processes.pop(name)
        process.terminate()
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


class Authority:
    """A certificate authority of this run."""

    def __init__(self, directory: Path):
        self.directory = directory
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=test authority", "-keyout", directory / "ca.key", "-out", directory / "ca.crt",
            "-addext", "keyUsage=critical,keyCertSign",
        )

    def certificate(self, name: str, *hosts: str) -> tuple[str, str]:
        """Certificate and key, for servers and clients."""
        crt, key, csr, ext = (self.directory / f"{name}.{end}" for end in ("crt", "key", "csr", "ext"))
        self._openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", key, "-out", csr,
        )
        names = ",".join(f"DNS:{host}" for host in hosts)
        ext.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\n")
        self._openssl(
            "x509", "-req", "-in", csr, "-CA", self.directory / "ca.crt", "-CAkey", self.directory / "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", ext, "-out", crt,
        )
        return str(crt), str(key)

    def _openssl(self, *arguments: str | Path) -> None:
        sh("openssl", *arguments)
