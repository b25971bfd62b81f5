#!/usr/bin/env python3
"""The same training as train.py's, as one writes it with PyTorch: interrupted at any point, it ends with the same model.

It needs PyTorch 1.13 or newer (Debian's python3-torch) and reads and writes what train.py does, but for its checkpoints:
epoch-0007.pt, by torch.save, with the model, the optimizer and the state of the random generators. Exit status: as train.py.
"""
import argparse
import hashlib
import io
import os
import re
import sys

import durable
import numpy
import torch
import train

NAME = re.compile(r"epoch-(\d{4,})\.pt")
KEPT = 3


def digest_of(model):
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


class Training:
    """Everything that the next epoch depends on."""

    def __init__(self, seed):
        torch.manual_seed(seed)
        self.epoch = 0
        self.seed = seed
        self.images = numpy.random.Generator(numpy.random.PCG64(seed))
        self.model = torch.nn.Sequential(torch.nn.Linear(64, train.HIDDEN), torch.nn.ReLU(), torch.nn.Dropout(0.1),
                                         torch.nn.Linear(train.HIDDEN, train.CLASSES))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=train.RATE, momentum=train.MOMENTUM)
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, gamma=train.RATE_DECAY)

    def state(self):
        return {"epoch": self.epoch, "seed": self.seed, "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(), "torch_generator": torch.get_rng_state(),
                "image_generator": self.images.bit_generator.state}

    def restore(self, path):
        state = torch.load(path, map_location="cpu")
        if state["seed"] != self.seed:
            raise train.Refused(f"{path} is of a training with seed {state['seed']}, not with {self.seed}")
        self.epoch = state["epoch"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["torch_generator"])
        self.images.bit_generator.state = state["image_generator"]

    def run_epoch(self, images, labels):
        """One pass over the images in a new order. Returns the mean loss."""
        order = torch.randperm(len(images)).numpy()
        pixels = torch.from_numpy(train.shifted(images[order], self.images).reshape(-1, 64)).float()
        targets = torch.from_numpy(labels[order])
        self.model.train()
        total = 0.0
        for start in range(0, len(pixels), train.BATCH):
            loss = torch.nn.functional.cross_entropy(self.model(pixels[start:start + train.BATCH]), targets[start:start + train.BATCH])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += float(loss.detach()) * len(targets[start:start + train.BATCH])
        self.schedule.step()
        self.epoch += 1
        return total / len(pixels)

    def accuracy(self, images, labels):
        self.model.eval()
        with torch.no_grad():
            found = self.model(torch.from_numpy(images.reshape(-1, 64)).float()).argmax(dim=1).numpy()
        return float((found == labels).mean())


def write(directory, training):
    """Durable on return. Of older ones the last few stay, in case the newest turns out to be unreadable."""
    content = io.BytesIO()
    torch.save(training.state(), content)
    path = os.path.join(directory, f"epoch-{training.epoch:04}.pt")
    durable.write_atomically(path, content.getvalue())
    for older in sorted((name for name in os.listdir(directory) if NAME.fullmatch(name)), reverse=True)[KEPT:]:
        os.unlink(os.path.join(directory, older))
    return path


def run(options, end):
    """Returns the exit status."""
    images, labels, held_out, _ = train.load(os.path.join(train.directory_from("RUNCTL_DATA_DIR"), "digits.csv"))
    directory = train.directory_from("RUNCTL_CHECKPOINT_DIR")
    output = train.directory_from("RUNCTL_OUTPUT_DIR", directory)
    durable.make_directory(directory)
    durable.remove_unfinished(directory)
    training = Training(options.seed)
    source = os.environ.get("RUNCTL_RESUME_FROM")
    if source:
        training.restore(source)
        print(f"resumed from {source} epoch={training.epoch}", flush=True)
    elif any(NAME.fullmatch(name) for name in os.listdir(directory)):
        raise train.Refused(f"{directory} already has checkpoints: go on from them with --resume, or give another directory")
    while training.epoch < options.epochs:
        loss = training.run_epoch(images[~held_out], labels[~held_out])
        path = write(directory, training)
        print(f"epoch={training.epoch} loss={loss:.4f} accuracy={training.accuracy(images[held_out], labels[held_out]):.4f} "
              f"checkpoint={os.path.basename(path)}", flush=True)
        if training.epoch < options.epochs:
            end.wait(options.pause)
        if end.signal:
            print(f"ended by signal {end.signal} after epoch {training.epoch}; its checkpoint is complete", flush=True)
            return 128 + end.signal
    durable.make_directory(output)
    content = io.BytesIO()
    torch.save(training.model.state_dict(), content)
    durable.write_atomically(os.path.join(output, "model.pt"), content.getvalue())
    print(f"final epoch={training.epoch} accuracy={training.accuracy(images[held_out], labels[held_out]):.4f} "
          f"sha256={digest_of(training.model)}", flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description="Trains a classifier of handwritten digits with PyTorch.")
    parser.add_argument("--epochs", type=int, default=20, help="epochs in all, those before a resume among them")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same model")
    parser.add_argument("--pause", type=float, default=0.0, metavar="SECONDS", help="rest after each epoch")
    options = parser.parse_args()
    # Sums in another order are other sums.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        return run(options, train.End())
    except (train.Refused, OSError) as error:
        print(f"train_torch.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
