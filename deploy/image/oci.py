"""An image in an OCI archive: what it says of itself, what is in it, and programs run in its root."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

ARCHIVE = Path("target/image/proofline.oci.tar")
USER = 65532


class Image:
    """An archive with one manifest, every part of it compared with its digest."""

    def __init__(self, archive: Path = ARCHIVE):
        with tarfile.open(archive) as file:
            self._files = {
                os.path.normpath(member.name): file.extractfile(member).read()
                for member in file
                if member.isfile()
            }
        [described] = json.loads(self._files["index.json"])["manifests"]
        self.digest = described["digest"]
        self.manifest = json.loads(self._blob(described))
        self.config = json.loads(self._blob(self.manifest["config"]))
        self.compressed = sum(layer["size"] for layer in self.manifest["layers"])

    def _blob(self, described: dict) -> bytes:
        algorithm, digest = described["digest"].split(":")
        content = self._files[f"blobs/{algorithm}/{digest}"]
        assert hashlib.new(algorithm, content).hexdigest() == digest, described
        assert len(content) == described["size"], described
        return content

    def _layers(self):
        for layer in self.manifest["layers"]:
            with tarfile.open(fileobj=io.BytesIO(self._blob(layer))) as opened:
                yield opened

    def members(self) -> list[tarfile.TarInfo]:
        """Everything that the layers hold, by path."""
        members = [member for layer in self._layers() for member in layer]
        return sorted(members, key=lambda member: member.name)

    def unpack(self, folder: Path) -> "Root":
        """The root file system, in a folder of its own."""
        for layer in self._layers():
            layer.extractall(folder)
        environment = dict(setting.split("=", 1) for setting in self.config["config"]["Env"])
        return Root(folder, environment)


@dataclass
class Root:
    """An unpacked root file system."""

    folder: Path
    environment: dict[str, str]

    def put(self, path: str, content: str) -> None:
        """Adds a file, as a container engine mounts one."""
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
        file.chmod(0o444)

    def start(self, command: list[str], settings: dict[str, str] = {}, **options) -> subprocess.Popen:
        """Starts a program in it, mounted for reading only, as the image's user and with no other environment."""
        folder = str(self.folder)
        if os.geteuid() == 0:
            mount = ["unshare", "--mount"]
            enter = [shutil.which("chroot"), f"--userspec={USER}:{USER}", folder]
        else:
            mount = ["unshare", "--mount", "--map-root-user"]
            user = [f"--map-user={USER}", f"--map-group={USER}"]
            enter = [shutil.which("unshare"), "--user", *user, f"--root={folder}", "--wd=/"]
        read_only = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        environment = [f"{name}={value}" for name, value in {**self.environment, **settings}.items()]
        return subprocess.Popen(
            [*mount, "sh", "-c", read_only, folder, "env", "-i", *environment, *enter, *command],
            stdin=subprocess.DEVNULL,
            text=True,
            **options,
        )

    def run(self, command: list[str], settings: dict[str, str] = {}) -> tuple[int, str]:
        """Runs a program to its end: its exit code, and all that it said."""
        process = self.start(command, settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = process.communicate(timeout=60)
        return process.returncode, said
