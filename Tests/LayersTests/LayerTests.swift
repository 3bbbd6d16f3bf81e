import Arrays
import Graph
import Layers
import Normalization
import Runtime
import Testing

@Suite("Layers")
struct LayerTests {
    @Test("Dense computes x Wᵀ + b, on any number of leading axes", arguments: [true, false])
    func dense(bias: Bool) {
        let layer = Dense(3, 2, bias: bias)
        layer.weight.value = NDArray([Float(1), 2, 3, 4, 5, 6], shape: [2, 3])
        layer.bias?.value = NDArray([Float(10), 20])
        let x = NDArray([Float(1), 0, 0, 0, 1, 0, 1, 1, 1, -1, 0, 2], shape: [2, 2, 3])
        let y = layer(Tensor(x)).evaluate(backend: .reference)
        #expect(y.shape == [2, 2, 2])
        let b: [Float] = bias ? [10, 20] : [0, 0]
        let products: [Float] = [1, 4, 2, 5, 6, 15, 5, 8]
        #expect(y.elements() == products.enumerated().map { $1 + b[$0 % 2] })
    }

    @Test("Layer norm takes each sample by itself, at large offsets too", arguments: [0.0, 1e6])
    func layerNorm(offset: Double) {
        let shape: Shape = [3, 2, 4]
        let x = Philox(key: 3).normal(shape).map { $0 + offset }
        let norm = LayerNorm([2, 4], epsilon: 1e-9)
        norm.convert(to: .float64)
        let y: [Double] = norm(Tensor(NDArray(x, shape: shape))).evaluate(backend: .reference)
            .elements()
        for sample in 0..<3 {
            let values = x[(sample * 8)..<(sample * 8 + 8)].map { [$0] }
            let moments = ChannelMoments(rows: values, channels: 1)
            let deviation = (moments.variance()[0] + 1e-9).squareRoot()
            for index in 0..<8 {
                let expected = (values[index][0] - moments.mean[0]) / deviation
                #expect(abs(y[sample * 8 + index] - expected) < 1e-8)
            }
        }
    }

    @Test("Sequential is its layers one after another, built with conditions and loops")
    func sequential() {
        let deep = true
        let model = Sequential {
            Flatten()
            Dense(4, 4)
            if deep {
                for _ in 0..<2 { ReLU() }
            } else {
                Tanh()
            }
            Reshape([2, 2])
        }
        #expect(model.layers.count == 5)
        let x = Tensor(NDArray((0..<8).map(Double.init), shape: [2, 2, 2]).converted(to: .float32))
        let y = model(x)
        #expect(y.shape == [2, 2, 2])
        let dense = model.layers[1]
        let expected = dense(x.reshape([2, 4])).relu().relu().reshape([2, 2, 2])
        #expect(y.evaluate(backend: .reference) == expected.evaluate(backend: .reference))
    }

    @Test("Trainability is set for a whole subtree")
    func trainable() {
        let model = Sequential {
            Dense(2, 2)
            BatchNorm(2)
        }
        model.layers[1].setTrainable(false)
        #expect(model.parameters.map(\.isTrainable) == [true, true, false, false])
        #expect(model.parameters.map(\.role) == [.weight, .bias, .scale, .shift])
        #expect(model.parameterCount == 10)
    }

    @Test("Dropout depends on seed, step, place and sample, not on the place in the batch")
    func dropout() {
        let model = Sequential {
            Dropout(0.5)
            Dropout(0.5)
        }
        func run(_ layer: Module, seed: UInt64, step: Int64, samples: [Int32]) -> [[Float]] {
            let context = Context(
                .training, seed: seed, step: Tensor(NDArray(scalar: step)),
                sampleIndices: Tensor(NDArray(samples)))
            let y = layer(Tensor.ones([samples.count, 64]), context).evaluate(backend: .reference)
            return (0..<samples.count).map { y.rows($0..<($0 + 1)).elements() }
        }
        let rows = run(model, seed: 1, step: 3, samples: [5, 9])
        #expect(rows[0] != rows[1])
        #expect(run(model, seed: 1, step: 3, samples: [9, 5]) == [rows[1], rows[0]])
        #expect(run(model, seed: 1, step: 4, samples: [5, 9]) != rows)
        #expect(run(model, seed: 2, step: 3, samples: [5, 9]) != rows)
        // Two layers that dropped the same would leave half, not a quarter.
        let kept = rows.joined().count { $0 != 0 }
        #expect(kept > 16 && kept < 52)
        #expect(rows.joined().allSatisfy { $0 == 0 || $0 == 4 })
        #expect(
            model(Tensor.ones([1, 4])).evaluate(backend: .reference).elements()
                == [Float](repeating: 1, count: 4))
    }
}
