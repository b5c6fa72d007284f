"""The net in PyTorch: two layers nn.Linear, CrossEntropyLoss, and SGD."""
import os
import peer

try:
    import torch
    from torch import nn
except ImportError:
    peer.fail("python3-torch is missing: make deps-bench")


class Model:
    def __init__(self, x, y, weights):
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        self.weights = [torch.from_numpy(p) for p in weights]
        self.pictures = len(x) - peer.LARGEST
        n, hidden, classes = peer.SIZES
        self.net = nn.Sequential(nn.Linear(n, hidden), nn.ReLU(), nn.Linear(hidden, classes))
        self.cost = nn.CrossEntropyLoss()

    def reset(self):
        with torch.no_grad():
            for p, first in zip(self.net.parameters(), self.weights):
                p.copy_(first)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=peer.RATE)

    def train(self, first, size, batches):
        net, cost, optimizer = self.net, self.cost, self.optimizer
        for _ in range(batches):
            optimizer.zero_grad(set_to_none=True)
            cost(net(self.x[first:first + size]), self.y[first:first + size]).backward()
            optimizer.step()
            first = (first + size) % self.pictures

    def answer(self, x):
        with torch.no_grad():
            return self.net(torch.from_numpy(x)).argmax(dim=1).numpy()


torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
peer.serve(Model, f"PyTorch {torch.__version__}")
