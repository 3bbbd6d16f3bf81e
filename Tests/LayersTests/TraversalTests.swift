import Arrays
import Graph
import Layers
import Runtime
import Testing

@Suite("Traversal")
struct TraversalTests {
    class Base: Module {
        let stem = Dense(2, 3)
    }

    final class Net: Base {
        let layers = Sequential {
            Dense(3, 4)
            BatchNorm(4)
        }
        let blocks: [Module] = [ReLU(), Dense(4, 4, bias: false)]
        let optional: BatchNorm? = BatchNorm(4, scale: false, center: false)
        let missing: Dense? = nil
        let heads: [String: Dense] = ["b": Dense(4, 1), "a": Dense(4, 1)]
        let text = "not a part"
        lazy var again = stem
    }

    @Test("Names follow properties, positions and keys, superclasses first")
    func names() {
        let net = Net()
        #expect(
            net.namedParameters.map(\.name) == [
                "stem.weight", "stem.bias", "layers.0.weight", "layers.0.bias", "layers.1.weight",
                "layers.1.bias", "blocks.1.weight", "heads.a.weight", "heads.a.bias",
                "heads.b.weight", "heads.b.bias",
            ])
        #expect(
            net.namedStates.map(\.name) == [
                "layers.1.running_mean", "layers.1.running_var", "layers.1.num_batches_tracked",
                "optional.running_mean", "optional.running_var", "optional.num_batches_tracked",
            ])
    }

    @Test("A shared layer is listed once")
    func shared() {
        let dense = Dense(2, 2)
        let model = Sequential([dense, ReLU(), dense])
        #expect(model.namedParameters.map(\.name) == ["0.weight", "0.bias"])
    }

    @Test("Initial values depend on seed and name only")
    func seeds() {
        func weights(_ seed: UInt64, extra: Bool) -> [NDArray] {
            if extra { _ = Dense(7, 7).weight.value }
            let model = Sequential {
                Dense(5, 6)
                Dense(6, 5)
            }
            model.initialize(seed: seed)
            return model.parameters.map(\.value)
        }
        #expect(weights(1, extra: false) == weights(1, extra: true))
        #expect(weights(1, extra: false)[0] != weights(2, extra: false)[0])
    }

    @Test("Messages name the path from the root")
    func labels() {
        final class Probe: Module {
            var seen = ""
            override func call(_ input: Tensor, _ context: Context) -> Tensor {
                seen = context.label
                return input
            }
        }
        final class Outer: Module {
            let layers: Sequential
            init(_ probe: Probe) {
                layers = Sequential([ReLU(), probe])
                super.init()
            }
            override func call(_ input: Tensor, _ context: Context) -> Tensor {
                layers(input, context)
            }
        }
        let probe = Probe()
        _ = Outer(probe)(Tensor.zeros([1, 1]))
        #expect(probe.seen == "layers.1 Probe")
        _ = probe(Tensor.zeros([1, 1]))
        #expect(probe.seen == "Probe")
    }

    @Test("A wrong shape is refused with the layer's path")
    func wrongShape() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent])
        {
            let model = Sequential {
                Dense(3, 4)
                Dense(5, 2)
            }
            _ = model(Tensor.zeros([2, 3]))
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("1 Dense: expected an input of [samples, ..., 5], found [2, 4]"))
    }
}
