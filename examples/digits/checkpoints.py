"""A folder of training checkpoints, of which the newest complete one can always be found.

A checkpoint is one file, epoch-0007.npz: the arrays by name, and under `digest` the SHA-256 of all of them. It is
complete when that digest is right. One that is cut off, empty or altered is passed over, and named.
"""
import hashlib
import io
import os
import re
import zipfile

import durable
import numpy

NAME = re.compile(r"epoch-(\d{4,})\.npz")
KEPT = 3


class Incomplete(Exception):
    """The file is not a complete checkpoint."""


def digest_of(arrays):
    """Of names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = numpy.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def encode(arrays):
    file = io.BytesIO()
    numpy.savez(file, digest=numpy.array(digest_of(arrays)), **arrays)
    return file.getvalue()


def read(path):
    """The arrays of a checkpoint. Raises Incomplete, or OSError where the file cannot be read at all."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        with numpy.load(io.BytesIO(content), allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in loaded.files}
        expected = str(arrays.pop("digest"))
    except (AttributeError, EOFError, KeyError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise Incomplete(f"not a checkpoint: {error}") from error
    if digest_of(arrays) != expected:
        raise Incomplete("its digest is wrong")
    return arrays


def listed(directory):
    """The paths of all checkpoints, complete or not, newest first."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    found = [(int(match[1]), name) for name in names if (match := NAME.fullmatch(name))]
    return [os.path.join(directory, name) for _, name in sorted(found, reverse=True)]


def newest_complete(directory, report):
    """(path, arrays) of the newest complete checkpoint, or None. Calls report(path, why) for each passed over."""
    for path in listed(directory):
        try:
            return path, read(path)
        except Incomplete as error:
            report(path, error)
    return None


def write(directory, epoch, arrays):
    """Durable on return. Of older ones the last few stay, in case the newest turns out to be unreadable."""
    path = os.path.join(directory, f"epoch-{epoch:04}.npz")
    durable.write_atomically(path, encode(arrays))
    paths = listed(directory)
    for older in paths[paths.index(path) + KEPT:]:
        os.unlink(older)
    return path
