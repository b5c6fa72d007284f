"""What every peer in Python shares: the data, the first weights, the protocol.

A peer is started as `NAME_peer.py DIR WEIGHTS`. It says `ready ...`, then answers
lines: `time B N` trains N batches of B pictures and answers the seconds, `epoch B`
trains one epoch from the first weights and answers the share of test pictures
that it names rightly. Batches are consecutive pictures in the order of the file,
beginning again at the first; the last batch of an epoch has what is left.
"""
import gzip
import os
import re
import sys
import time

LARGEST = 1024  # the largest batch
SIZES = 784, 128, 10
RATE = 0.1


def fail(text):
    print(text, file=sys.stderr)
    sys.exit(1)


try:
    import numpy as np
except ImportError:
    fail("python3-numpy is missing: make deps-bench")


def blas():
    """Which OpenBLAS has been loaded; without it, numpy and PyTorch are slow."""
    with open("/proc/self/maps") as file:
        found = re.search(r"libopenblas\w*-r([0-9.]+)\.so", file.read())
    return f"OpenBLAS {found.group(1)}" if found else "no OpenBLAS"


def read_idx(folder, name, head):
    """The bytes of an IDX file behind its head."""
    for path in f"{folder}/{name}.gz", f"{folder}/{name}":
        if os.path.exists(path):
            with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
                return np.frombuffer(file.read(), np.uint8, offset=head)
    fail(f"{folder}/{name}: no such file")


def read_set(folder, part):
    x = read_idx(folder, part + "-images-idx3-ubyte", 16).reshape(-1, SIZES[0])
    y = read_idx(folder, part + "-labels-idx1-ubyte", 8)
    return x.astype(np.float32) / np.float32(255), y.astype(np.int64)


def read_weights(path):
    """W1 [128][784], b1, W2 [10][128], b2."""
    n, h, c = SIZES
    try:
        p = np.fromfile(path, np.float32)
    except OSError as error:
        fail(f"{path}: {error.strerror}")
    if p.size != h * n + h + c * h + c:
        fail(f"{path}: {p.size} floats, not {h * n + h + c * h + c}")
    w1, b1, w2, b2 = np.split(p, np.cumsum([h * n, h, c * h]))
    return w1.reshape(h, n), b1, w2.reshape(c, h), b2


def serve(make, about):
    """make(x, y, weights) is a model with reset(), train(first, size, batches),
    which trains from picture `first` on, and answer(x), the class of each picture.
    x and y go on after the last picture with the first ones, so that a batch is
    always one piece of them."""
    if len(sys.argv) != 3:
        print(f"usage: {sys.argv[0]} DIR WEIGHTS", file=sys.stderr)
        sys.exit(2)
    x, y = read_set(sys.argv[1], "train")
    test_x, test_y = read_set(sys.argv[1], "t10k")
    pictures = len(x)
    model = make(np.concatenate([x, x[:LARGEST]]), np.concatenate([y, y[:LARGEST]]),
                 read_weights(sys.argv[2]))
    model.reset()
    first = 0
    print(f"ready {about}, {blas()}", flush=True)
    for line in sys.stdin:
        what, size, *batches = line.split()
        size = int(size)
        if what == "time":
            start = time.monotonic()
            model.train(first, size, int(batches[0]))
            print(f"{time.monotonic() - start:.9f}", flush=True)
            first = (first + size * int(batches[0])) % pictures
        else:
            model.reset()
            model.train(0, size, pictures // size)
            if pictures % size:
                model.train(pictures - pictures % size, pictures % size, 1)
            first = 0
            right = sum(int((model.answer(test_x[i:i + LARGEST]) == test_y[i:i + LARGEST]).sum())
                        for i in range(0, len(test_x), LARGEST))
            print(f"{right / len(test_x):.4f}", flush=True)
