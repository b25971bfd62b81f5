#!/usr/bin/env python3
"""Puts digits.csv, which lies beside this script, into the data directory. Doing it again changes nothing."""
import hashlib
import os
import sys

import durable


def main():
    directory = os.environ.get("RUNCTL_DATA_DIR")
    if not directory:
        sys.exit("prepare.py: RUNCTL_DATA_DIR is not set: give the run a --data-volume, or name a directory")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.csv")
    target = os.path.join(directory, "digits.csv")
    with open(source, "rb") as file:
        content = file.read()
    os.makedirs(directory, exist_ok=True)
    try:
        with open(target, "rb") as file:
            there = file.read()
    except FileNotFoundError:
        there = None
    if there == content:
        done = "already there:"
    else:
        durable.write_atomically(target, content)
        done = "wrote"
    digest = hashlib.sha256(content).hexdigest()
    print(f"{done} {target} rows={content.count(bytes([10]))} sha256={digest}")


if __name__ == "__main__":
    main()
