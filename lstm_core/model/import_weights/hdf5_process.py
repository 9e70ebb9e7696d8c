"""Reads an HDF5 file in a process of its own: `python hdf5_process.py SECONDS < file`. See hdf5.py, which starts it.

HDF5 can name any file of the machine: external storage, virtual data sets, links. So only hard links are walked, and a
data set is asked how it is stored and how large it is before it is read. Imports nothing of this app: it starts at
once.
"""

from __future__ import annotations

import io
import json
import math
import sys

import h5py
import numpy as np

try:
    import resource
except ImportError:  # there is none on Windows: there the starter's clock alone ends this
    resource = None

MAX_BYTES = 256 << 20  # of all arrays
MAX_MEMORY = 2 << 30
MAX_OBJECTS = 20_000
MAX_DEPTH = 24
MAX_CONFIG = 16 << 20  # bytes
NOT_READ = ("optimizer", "_metrics", "metrics")  # what stands beside a model's weights, and may be larger
DAMAGED = "it is damaged as an HDF5 file: download or save it again."


class RefusedError(Exception):
    """One sentence."""


def limit_resources(seconds: int) -> None:
    """End this process when it works longer than this or asks for too much memory."""
    if resource is None:
        return
    for kind, limit in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, MAX_MEMORY), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (least, least))


class Walk:
    """One walk through a file: what it has met and how much it has read.

    arrays: path → its numbers; names: of groups called vars, the text of their attribute name; config: the attribute
    model_config of the root.
    """

    def __init__(self, file: h5py.File) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.names: dict[str, str] = {}
        self.objects, self.left, self.open = 0, MAX_BYTES, set()
        self.config = text_of(file.attrs, "model_config")
        self.group(file, "", 0)

    def group(self, group: h5py.Group, path: str, depth: int) -> None:
        address = h5py.h5o.get_info(group.id).addr
        if depth > MAX_DEPTH or address in self.open:
            raise RefusedError("its groups contain one another without end: save it again.")
        self.open.add(address)
        if path.endswith("/vars") and "name" in group.attrs:
            self.names[path] = text_of(group.attrs, "name") or ""
        for name in group:
            inner = f"{path}/{name}".lstrip("/")
            self.objects += 1
            if self.objects > MAX_OBJECTS:
                raise RefusedError(f"it has more than {MAX_OBJECTS:,} parts: save the LSTM's weights alone.")
            if inner.startswith(NOT_READ):
                continue
            if group.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
                raise RefusedError(
                    f"its part {inner[-60:]!r} is a link to somewhere else, which is never followed: save the weights "
                    "themselves in the file."
                )
            item = group[name]
            if isinstance(item, h5py.Group):
                self.group(item, inner, depth + 1)
            elif isinstance(item, h5py.Dataset):
                self.arrays[inner] = self.array(item, f"its part {inner[-60:]!r}")
        self.open.remove(address)

    def array(self, dataset: h5py.Dataset, part: str) -> np.ndarray:
        creation = dataset.id.get_create_plist()
        layout = creation.get_layout()
        if layout == h5py.h5d.VIRTUAL or creation.get_external_count():
            raise RefusedError(
                f"{part} lies in another file, which is never opened: save the weights themselves in the file."
            )
        if layout not in (h5py.h5d.CONTIGUOUS, h5py.h5d.COMPACT):  # Keras writes no other
            raise RefusedError(f"{part} is stored in chunks or compressed, not as Keras does: save it with Keras.")
        if dataset.dtype.kind != "f" or dataset.dtype.itemsize > 8 or dataset.shape is None:
            raise RefusedError(f"{part} holds no floating-point numbers: save the weights before quantisation.")
        size = math.prod(dataset.shape) * dataset.dtype.itemsize
        self.left -= size
        if self.left < 0 or size > dataset.id.get_storage_size():  # else values that were never written
            raise RefusedError(f"{part} is larger than what the file holds of it or can be read: save it again.")
        values = np.asarray(dataset[()])
        return values.astype(values.dtype.newbyteorder("<"), copy=False)


def text_of(attributes: h5py.AttributeManager, name: str) -> str | None:
    """A single text, whose length is bounded by the file's; None: there is none."""
    if name not in attributes:
        return None
    about = attributes.get_id(name)
    if about.shape != ():
        return None
    if about.get_storage_size() > MAX_CONFIG:
        raise RefusedError(f"its {name} is larger than {MAX_CONFIG >> 20} MB: save the LSTM's weights alone.")
    value = attributes[name]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return text if isinstance(text, str) else None


def answer(data: bytes) -> tuple[dict, list[np.ndarray]]:
    """The JSON that hdf5.py reads, and the arrays that follow it."""
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            walk = Walk(file)
    except RefusedError as error:
        return {"refused": str(error)}, []
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, AttributeError, MemoryError):
        return {"refused": DAMAGED}, []  # h5py tells a damaged file by any of these
    arrays = [[path, values.dtype.str, values.shape] for path, values in walk.arrays.items()]
    return {"arrays": arrays, "names": walk.names, "config": walk.config}, list(walk.arrays.values())


def main() -> None:
    limit_resources(int(sys.argv[1]))
    about, arrays = answer(sys.stdin.buffer.read())
    header = json.dumps(about).encode()
    sys.stdout.buffer.write(len(header).to_bytes(8, "little") + header)
    for values in arrays:
        sys.stdout.buffer.write(values.tobytes())


if __name__ == "__main__":
    main()
