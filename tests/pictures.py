"""pictures.py DIR ROWS COLS CLASSES TRAIN TEST: a set of pictures to learn, as IDX files:
a class has its bright stripe, some noise hides it. DIR also gets the first three test
pictures as 0.pgm, 0.png and so on."""
import gzip, random, struct, sys, zlib

folder = sys.argv[1]
rows, cols, classes, train, test = map(int, sys.argv[2:])
draw = random.Random(7)


def picture(label):
    bright = range(label * rows // classes, (label + 1) * rows // classes)
    return bytes(min(255, draw.randrange(160) + 12 * (r in bright)) for r in range(rows) for _ in range(cols))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


for part, m in ("train", train), ("t10k", test):
    labels = bytes(draw.randrange(classes) if s >= classes else s for s in range(m))
    pixels = [picture(label) for label in labels]
    with gzip.open(f"{folder}/{part}-images-idx3-ubyte.gz", "wb") as file:
        file.write(struct.pack(">IIII", 0x803, m, rows, cols) + b"".join(pixels))
    with open(f"{folder}/{part}-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">II", 0x801, m) + labels)

for s in range(3):
    with open(f"{folder}/{s}.pgm", "wb") as file:
        file.write(b"P5\n%d %d\n255\n" % (cols, rows) + pixels[s])
    lines = b"".join(b"\0" + pixels[s][r * cols:(r + 1) * cols] for r in range(rows))
    with open(f"{folder}/{s}.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, 8, 0, 0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))
