#!/usr/bin/env python3
"""Puts digits.csv and its licence, which lie beside this script, into the data directory. Doing it again changes
nothing."""
import hashlib
import os
import sys

import durable

FILES = ("LICENSE.data.txt", "digits.csv")  # the licence first: the data is never there without it


def put(source, target):
    """What was done, and the content. Writes nothing when `target` has it already."""
    with open(source, "rb") as file:
        content = file.read()
    try:
        with open(target, "rb") as file:
            if file.read() == content:
                return "already there:", content
    except FileNotFoundError:
        pass
    durable.write_atomically(target, content)
    return "wrote", content


def main():
    directory = os.environ.get("RUNCTL_DATA_DIR")
    if not directory:
        sys.exit("prepare.py: RUNCTL_DATA_DIR is not set: give the run a --data-volume, or name a directory")
    durable.make_directory(directory)
    for name in FILES:
        target = os.path.join(directory, name)
        done, content = put(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), target)
        print(f"{done} {target} lines={content.count(bytes([10]))} sha256={hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
