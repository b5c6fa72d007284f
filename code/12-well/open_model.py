# Tangled from chapters/12-well.nw: edit there. Sum 2688232919.
"""Asks the net in a .safetensors file about pictures of an IDX
file, with nothing but Python's standard library:
python3 open_model.py MODEL IDX.gz FIRST PICTURES"""
import array, gzip, json, math, struct, sys, zlib

def open_model(path):
    with open(path, "rb") as file:
        data = file.read()
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    tensors = json.loads(data[8:begin])
    about = tensors.pop("__metadata__")
    blank = data[:34] + b"00000000" + data[42:]
    if zlib.crc32(blank) != int(about["crc32"], 16):
        sys.exit(path + ": damaged")

    for name, tensor in tensors.items():
        kind = {"F64": "d", "F32": "f", "I64": "q"}
        numbers = array.array(kind[tensor["dtype"]])
        first, end = tensor["data_offsets"]
        numbers.frombytes(data[begin + first:begin + end])
        if sys.byteorder == "big":
            numbers.byteswap()
        tensors[name] = numbers
    return about, tensors
SIGMA = {"identity": lambda z: z, "tanh": math.tanh,
         "sigmoid": lambda z: (1 + math.tanh(z / 2)) / 2,
         "relu": lambda z: max(z, 0)}

def ask(about, tensors, pixels):
    offset, scale = float(about["offset"]), float(about["scale"])
    a = [(pixel - offset) / scale for pixel in pixels]
    for l, word in enumerate(about["activations"].split(",")):
        w = tensors["layer%d.weight" % (l + 1)]
        b = tensors["layer%d.bias" % (l + 1)]
        n = len(a)
        z = [sum(map(float.__mul__, w[j * n:(j + 1) * n], a))
             + b[j] for j in range(len(b))]
        a = [SIGMA[word](t) for t in z]
    return a

if len(sys.argv) != 5:
    sys.exit(__doc__)
model, images, first, pictures = sys.argv[1:]
about, tensors = open_model(model)
with gzip.open(images) as file:
    pixels = file.read()[16:]
n = int(about["rows"]) * int(about["cols"])
print(images)
for s in range(int(first), int(first) + int(pictures)):
    z = ask(about, tensors, pixels[s * n:(s + 1) * n])
    e = [math.exp(t - max(z)) for t in z]
    best = sorted(range(len(z)), key=lambda c: -e[c])[:3]
    print("%5d: " % s + ", ".join("%d %s %.4f" % (
        c, about["class.%d" % c], e[c] / sum(e)) for c in best))
