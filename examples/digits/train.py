#!/usr/bin/env python3
"""Trains a small classifier of handwritten digits, and can be interrupted at any point without losing its place.

Reads $RUNCTL_DATA_DIR/digits.csv (prepare.py puts it there) and writes nothing there. After each epoch it writes a checkpoint to
$RUNCTL_CHECKPOINT_DIR, and at the end the model to $RUNCTL_OUTPUT_DIR/model.npz. With $RUNCTL_RESUME_FROM, a
checkpoint or a directory of them, it goes on from there; the model is then, bit for bit, the one of a training that
was never interrupted.

Exit status: 0 trained (or stopped by --stop-after), 1 failed or refused, 2 called wrongly, 128 + N ended by signal N
(143 is SIGTERM) after the checkpoint of the running epoch was written.
"""
import argparse
import hashlib
import json
import os
import signal
import sys
import threading

# Threads would add up the same numbers in an order of their own; must be set before NumPy is loaded.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy  # noqa: E402

import checkpoints  # noqa: E402
import durable  # noqa: E402

CLASSES = 10
HIDDEN = 128
BATCH = 32
RATE = 0.1
RATE_DECAY = 0.85  # an epoch; must depend on nothing that a later run may choose differently, such as --epochs
MOMENTUM = 0.9
SHIFTS = 2  # how often an epoch shows each image, each time moved differently
HELD_OUT = 5  # each fifth image is never trained on
WEIGHTS = ("w1", "b1", "w2", "b2")


class Refused(Exception):
    """Going on could destroy something, or makes no sense."""


def load(path):
    """Images as 8x8 numbers of 0 to 1, labels, which of them are held out, and the digest of the file."""
    with open(path, "rb") as file:
        content = file.read()
    try:
        table = numpy.array([line.split(b",") for line in content.splitlines()], dtype=numpy.int64)
    except ValueError as error:
        raise Refused(f"{path} is not a table of numbers: {error}") from error
    if table.ndim != 2 or table.shape[1] != 65 or len(table) < HELD_OUT:
        raise Refused(f"{path} does not have 64 pixels and a label in each line")
    images = table[:, :64].astype(numpy.float64).reshape(-1, 8, 8) / 16.0
    held_out = numpy.arange(len(table)) % HELD_OUT == HELD_OUT - 1
    return images, table[:, 64], held_out, hashlib.sha256(content).hexdigest()


def shifted(images, generator):
    """Each image moved by up to one pixel in each direction, since a digit stays one wherever it stands."""
    padded = numpy.pad(images, ((0, 0), (1, 1), (1, 1)))
    down, right = numpy.array([0, 1, 1, 2])[generator.integers(0, 4, size=(2, len(images)))]
    rows = down[:, None, None] + numpy.arange(8)[None, :, None]
    columns = right[:, None, None] + numpy.arange(8)[None, None, :]
    return padded[numpy.arange(len(images))[:, None, None], rows, columns]


class Training:
    """Everything that the next epoch depends on."""

    def __init__(self, seed, data_digest, rows):
        self.generator = numpy.random.Generator(numpy.random.PCG64(seed))
        self.epoch = 0
        self.seed = seed
        self.data_digest = data_digest
        self.order = numpy.tile(numpy.arange(rows), SHIFTS)
        self.weights = {
            "w1": self.generator.standard_normal((64, HIDDEN)) * numpy.sqrt(2.0 / 64),
            "b1": numpy.zeros(HIDDEN),
            "w2": self.generator.standard_normal((HIDDEN, CLASSES)) * numpy.sqrt(2.0 / HIDDEN),
            "b2": numpy.zeros(CLASSES),
        }
        self.velocity = {name: numpy.zeros_like(array) for name, array in self.weights.items()}

    def arrays(self):
        """The whole state, as a checkpoint holds it."""
        state = {"generator": self.generator.bit_generator.state, "epoch": self.epoch, "seed": self.seed,
                 "data": self.data_digest}
        return {"state": numpy.array(json.dumps(state, sort_keys=True)), "order": self.order,
                **self.weights, **{f"velocity_{name}": array for name, array in self.velocity.items()}}

    def restore(self, arrays, path):
        """Raises Refused when the checkpoint is one of another training."""
        try:
            state = json.loads(str(arrays["state"]))
            if (state["seed"], state["data"]) != (self.seed, self.data_digest):
                raise Refused(f"{path} is of a training with seed {state['seed']} on data {state['data'][:12]}…, "
                              f"not with seed {self.seed} on {self.data_digest[:12]}…")
            self.epoch = state["epoch"]
            self.generator.bit_generator.state = state["generator"]
            self.order = arrays["order"]
            self.weights = {name: arrays[name] for name in WEIGHTS}
            self.velocity = {name: arrays[f"velocity_{name}"] for name in WEIGHTS}
        except (KeyError, ValueError) as error:
            raise Refused(f"{path} is not a checkpoint of this program: {error}") from error

    def probabilities(self, pixels):
        hidden = numpy.maximum(pixels @ self.weights["w1"] + self.weights["b1"], 0.0)
        scores = hidden @ self.weights["w2"] + self.weights["b2"]
        scores = numpy.exp(scores - scores.max(axis=1, keepdims=True))
        return hidden, scores / scores.sum(axis=1, keepdims=True)

    def run_epoch(self, images, labels):
        """One pass over the images in a new order. Returns the mean loss."""
        self.generator.shuffle(self.order)
        pixels = shifted(images[self.order], self.generator).reshape(-1, 64)
        targets = numpy.eye(CLASSES)[labels[self.order]]
        rate = RATE * RATE_DECAY ** self.epoch
        loss = 0.0
        for start in range(0, len(pixels), BATCH):
            batch, wanted = pixels[start:start + BATCH], targets[start:start + BATCH]
            hidden, probabilities = self.probabilities(batch)
            loss -= float(numpy.log((probabilities * wanted).sum(axis=1)).sum())
            error = (probabilities - wanted) / len(batch)
            behind = (error @ self.weights["w2"].T) * (hidden > 0.0)
            gradients = {"w1": batch.T @ behind, "b1": behind.sum(axis=0),
                         "w2": hidden.T @ error, "b2": error.sum(axis=0)}
            for name, gradient in gradients.items():
                self.velocity[name] = MOMENTUM * self.velocity[name] - rate * gradient
                self.weights[name] = self.weights[name] + self.velocity[name]
        self.epoch += 1
        return loss / len(pixels)

    def accuracy(self, images, labels):
        _, probabilities = self.probabilities(images.reshape(-1, 64))
        return float((probabilities.argmax(axis=1) == labels).mean())


def resume(training, source):
    """Puts `training` where the newest complete checkpoint of `source`, a file or a directory, has it."""
    def passed_over(path, why):
        print(f"passing over {path}: {why}", flush=True)

    if os.path.isdir(source):
        found = checkpoints.newest_complete(source, passed_over)
        if found is None:
            raise Refused(f"there is no complete checkpoint in {source} to go on from")
    else:
        try:
            found = source, checkpoints.read(source)
        except checkpoints.Incomplete as error:
            raise Refused(f"cannot go on from {source}: {error}") from error
    path, arrays = found
    training.restore(arrays, path)
    print(f"resumed from {path} epoch={training.epoch}", flush=True)


def refuse_to_overwrite(directory, source):
    """Checkpoints that are there are somebody's work, unless it is the work that is to go on."""
    there = checkpoints.listed(directory)
    if not there or (source and os.path.exists(directory) and os.path.samefile(
            source if os.path.isdir(source) else os.path.dirname(os.path.abspath(source)), directory)):
        return
    raise Refused(f"{directory} already has checkpoints, the newest {os.path.basename(there[0])}: go on from it with "
                  "--resume (RUNCTL_RESUME_FROM), or give another directory")


def arguments():
    parser = argparse.ArgumentParser(description="Trains a classifier of handwritten digits.")
    parser.add_argument("--epochs", type=int, default=20, help="epochs in all, those before a resume among them")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same model")
    parser.add_argument("--stop-after", type=int, metavar="N", help="stop after N epochs, as if interrupted")
    parser.add_argument("--pause", type=float, default=0.0, metavar="SECONDS", help="rest after each epoch")
    return parser.parse_args()


def directory_from(variable, fallback=None):
    directory = os.environ.get(variable) or fallback
    if not directory:
        raise Refused(f"{variable} is not set")
    return directory


class End:
    """A signal asks for the end; the training comes to it when its state is saved."""

    def __init__(self):
        self.signal = 0
        self.asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.ask)

    def ask(self, number, _frame):
        self.signal = number
        self.asked.set()

    def wait(self, seconds):
        """Returns early when the end is asked for, which time.sleep() would not."""
        self.asked.wait(seconds)


def train(options, end):
    """Returns the exit status."""
    images, labels, held_out, data_digest = load(os.path.join(directory_from("RUNCTL_DATA_DIR"), "digits.csv"))
    directory = directory_from("RUNCTL_CHECKPOINT_DIR")
    output = directory_from("RUNCTL_OUTPUT_DIR", directory)
    source = os.environ.get("RUNCTL_RESUME_FROM")
    refuse_to_overwrite(directory, source)
    durable.make_directory(directory)
    durable.remove_unfinished(directory)

    seen, unseen = (images[~held_out], labels[~held_out]), (images[held_out], labels[held_out])
    training = Training(options.seed, data_digest, len(seen[0]))
    if source:
        resume(training, source)
    left = options.stop_after
    while training.epoch < options.epochs:
        loss = training.run_epoch(*seen)
        path = checkpoints.write(directory, training.epoch, training.arrays())
        print(f"epoch={training.epoch} loss={loss:.4f} accuracy={training.accuracy(*unseen):.4f} "
              f"checkpoint={os.path.basename(path)}", flush=True)
        left = None if left is None else left - 1
        if training.epoch < options.epochs:
            if left == 0:
                print(f"stopped after epoch {training.epoch}, as --stop-after asked; go on with --resume", flush=True)
                return 0
            end.wait(options.pause)
        if end.signal:
            print(f"ended by signal {end.signal} after epoch {training.epoch}; its checkpoint is complete", flush=True)
            return 128 + end.signal

    durable.make_directory(output)
    durable.write_atomically(os.path.join(output, "model.npz"), checkpoints.encode(training.weights))
    print(f"final epoch={training.epoch} accuracy={training.accuracy(*unseen):.4f} "
          f"sha256={checkpoints.digest_of(training.weights)}", flush=True)
    return 0


def main():
    options = arguments()
    if options.stop_after is not None and options.stop_after < 1:
        sys.exit("train.py: --stop-after wants at least 1")
    try:
        return train(options, End())
    except (Refused, OSError) as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
