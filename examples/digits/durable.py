"""Files that are whole and on the disk when a call returns, whatever happens to the machine after it."""
import os
import tempfile

PREFIX = ".writing-"


def sync_directory(directory):
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(directory):
    """With those above it that are missing."""
    above = os.path.dirname(os.path.abspath(directory))
    if not os.path.isdir(directory):
        if not os.path.isdir(above):
            make_directory(above)
        os.makedirs(directory, exist_ok=True)
        sync_directory(above)


def remove_unfinished(directory):
    """What a writer that was killed left behind. Only for a directory in which nobody else writes."""
    for name in os.listdir(directory):
        if name.startswith(PREFIX):
            os.unlink(os.path.join(directory, name))


def write_atomically(path, content):
    """After a crash `path` holds the old content or the new one, never a part of either."""
    directory = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(prefix=PREFIX, dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(directory)
