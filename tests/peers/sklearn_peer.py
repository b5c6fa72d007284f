"""The net as scikit-learn's MLPClassifier. partial_fit goes once over what it is
given, in batches; its checks of the data are made once for as many batches as are
asked for, as they are in fit, and the search for what is not finite is off."""
import peer
import numpy as np

try:
    import sklearn
    from sklearn.neural_network import MLPClassifier
except ImportError:
    peer.fail("python3-sklearn is missing: make deps-bench")


class Model:
    def __init__(self, x, y, weights):
        self.x, self.y, self.weights = x, y, weights
        self.pictures = len(x) - peer.LARGEST

    def reset(self):
        self.net = MLPClassifier(
            peer.SIZES[1:2], activation="relu", solver="sgd", alpha=0, momentum=0,
            nesterovs_momentum=False, learning_rate_init=peer.RATE, shuffle=False)
        self.net.set_params(batch_size=32)
        self.net.partial_fit(self.x[:32], self.y[:32], classes=np.arange(peer.SIZES[2]))
        w1, b1, w2, b2 = self.weights
        for p, first in zip(self.net.coefs_ + self.net.intercepts_, (w1.T, w2.T, b1, b2)):
            p[...] = first

    def train(self, first, size, batches):
        self.net.set_params(batch_size=size)
        while batches > 0:
            now = min(batches, -(-(self.pictures - first) // size))
            last = first + now * size
            self.net.partial_fit(self.x[first:last], self.y[first:last])
            first = last % self.pictures
            batches -= now

    def answer(self, x):
        return self.net.predict(x)


sklearn.set_config(assume_finite=True)
peer.serve(Model, f"scikit-learn {sklearn.__version__}")
