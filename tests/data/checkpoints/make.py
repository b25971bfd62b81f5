"""Writes the fixtures of this folder: checkpoints as PyTorch, h5py and NumPy themselves write them, in base64.

    python3 tests/data/checkpoints/make.py

Run with Debian 12's python3-torch 1.13.1, python3-h5py 3.7.0 (HDF5 1.10.8) and python3-numpy 1.24.2. What they hold is the
same each time, the bytes are not: archives have random ids in them. Tests take the fixtures as they are.
"""
import base64
import io
import os
import pickle
import tempfile
import textwrap

import h5py
import numpy
import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def keep(name, content):
    with open(os.path.join(HERE, name + ".b64"), "w", encoding="ascii") as file:
        file.write("\n".join(textwrap.wrap(base64.b64encode(content).decode(), 120)) + "\n")


def torch_file(thing, **how):
    file = io.BytesIO()
    torch.save(thing, file, **how)
    return file.getvalue()


def h5_file(**how):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.h5")
        with h5py.File(path, "w", **how) as file:
            file.attrs["keras_version"] = "2.11.0"
            file.create_dataset("weights", data=numpy.arange(6, dtype=numpy.float32))
        with open(path, "rb") as file:
            return file.read()


def npz(save):
    file = io.BytesIO()
    save(file, w1=numpy.arange(12, dtype=numpy.float64).reshape(3, 4), b1=numpy.zeros(3), epoch=numpy.array(7),
         val_loss=numpy.float32(0.5), state=numpy.array('{"step": 700, "generator": {"inc": 332724090758049132448979897138935081983}}'))
    return file.getvalue()


def npy(array, **how):
    file = io.BytesIO()
    numpy.save(file, array, **how)
    return file.getvalue()


torch.manual_seed(1)
model = torch.nn.Linear(4, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
model(torch.ones(2, 4)).sum().backward()
optimizer.step()
state = {"epoch": 7, "global_step": 700, "loss": 0.25, "best_acc": 0.875, "model": model.state_dict(),
         "optimizer": optimizer.state_dict(), "flag": True, "name": "digits", "metrics": {"val_loss": 0.5},
         "seed": 2**70}

keep("torch.pt", torch_file(state))
keep("torch_legacy.pt", torch_file(state, _use_new_zipfile_serialization=False))
keep("torch_state_dict.pt", torch_file(model.state_dict()))
script = io.BytesIO()
torch.jit.save(torch.jit.script(model), script)
keep("torchscript.pt", script.getvalue())
keep("keras.h5", h5_file())
keep("latest.h5", h5_file(libver="latest"))
keep("user_block.h5", h5_file(userblock_size=512))
keep("digits.npz", npz(numpy.savez))
keep("compressed.npz", npz(numpy.savez_compressed))
keep("weights.npy", npy(numpy.arange(12, dtype=numpy.float32).reshape(3, 4)))
keep("objects.npy", npy(numpy.array([{"a": 1}, None], dtype=object), allow_pickle=True))
keep("plain.pkl", pickle.dumps({"epoch": 3, "loss": 0.125, "weights": list(range(40)), "text": "ä" * 300}, protocol=5))
keep("old.pkl", pickle.dumps({"epoch": 3, "loss": 0.125, "weights": [1.5, -2, 2**80], "name": "a\nb"}, protocol=0))
