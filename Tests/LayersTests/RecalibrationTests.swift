import Arrays
import Graph
import Layers
import Normalization
import Runtime
import Testing

@Suite("Population statistics and replacing")
struct RecalibrationTests {
    static func model() -> Sequential {
        let model = Sequential {
            Dense(3, 5)
            BatchNorm(5)
            ReLU()
            Dense(5, 4)
            BatchNorm(4, variance: .biased)
        }
        model.initialize(seed: 3)
        return model
    }

    static func data(_ count: Int) -> NDArray {
        NDArray(Philox(key: 8).normal([count, 3]).map { Float($0 * 3 + 2) }, shape: [count, 3])
    }

    static func batches(_ data: NDArray, sizes: [Int]) -> [NDArray] {
        var start = 0
        return sizes.map { size in
            defer { start += size }
            return data.rows(start..<(start + size))
        }
    }

    @Test("How the data is split does not matter, and the result is the definition")
    func exact() {
        let data = Self.data(37)
        var values: [[[Float]]] = []
        for sizes in [[37], [1, 30, 6], [7, 7, 7, 7, 7, 2]] {
            let model = Self.model()
            #expect(model.recalibrate(Self.batches(data, sizes: sizes)).count == 2)
            values.append(
                model.states.filter { $0.value.elementType == .float32 }
                    .map { $0.value.elements(as: Float.self) })
        }
        for other in values.dropFirst() {
            for (a, b) in zip(values[0].joined(), other.joined()) {
                #expect(abs(a - b) <= 1e-6 * max(1, abs(a)))
            }
        }
        let model = Self.model()
        model.recalibrate([data])
        let inner: [Double] = model.layers[0](Tensor(data)).evaluate().elements()
        let rows = (0..<37).map { Array(inner[($0 * 5)..<($0 * 5 + 5)]) }
        let moments = ChannelMoments(rows: rows, channels: 5)
        let norm = model.layers[1] as! BatchNorm
        let mean: [Double] = norm.statistics!.runningMean.value.elements()
        let variance: [Double] = norm.statistics!.runningVariance.value.elements()
        for channel in 0..<5 {
            #expect(abs(mean[channel] - moments.mean[channel]) < 1e-5)
            #expect(abs(variance[channel] / moments.variance(.unbiased)[channel] - 1) < 1e-5)
        }
        // Normalized by the population of its inputs, the last layer's outputs are standard.
        let y = model(Tensor(data))
        let means: [Double] = y.mean(axes: [0]).evaluate().elements()
        let variances: [Double] = y.variance(axes: [0]).evaluate().elements()
        #expect(means.allSatisfy { abs($0) < 1e-5 })
        #expect(variances.allSatisfy { abs($0 - 1) < 1e-3 })
    }

    @Test("Data that is not finite changes nothing")
    func poisoned() {
        let model = Self.model()
        let before = model.states.map(\.value)
        #expect(model.recalibrate([NDArray(repeating: Float.nan, shape: [4, 3])]).isEmpty)
        #expect(model.states.map(\.value) == before)
    }

    @Test("Replacing swaps every normalizer, wherever it is")
    func replacing() {
        final class Block: Module {
            let norm = BatchNorm(4)
            let dense = Dense(4, 4)
            override func call(_ input: Tensor, _ context: Context) -> Tensor {
                input + dense(norm(input, context).relu(), context)
            }
        }
        let model = Sequential {
            Block()
            BatchNorm(4)
        }
        model.replacing(BatchNorm.self) { GroupNorm(groups: 2, $0.channels, axis: $0.axis) }
        #expect(model.states.isEmpty)
        #expect(model.namedParameters.map(\.name).contains("0.norm.weight"))
        #expect(!model.namedModules.contains { $0.module is BatchNorm })
        let x = NDArray(Philox(key: 1).normal([1, 4]), shape: [1, 4]).converted(to: .float32)
        let training = Step { [model($0[0], Context(.training))] }(x).outputs[0]
        #expect(training == model(Tensor(x)).evaluate())

        // A replacement may hold what it replaces.
        model.replacing(Dense.self) { WeightNorm($0) }
        #expect(model.namedParameters.map(\.name).contains("0.dense.weight_g"))
        #expect(model(Tensor(x)).shape == [1, 4])
    }

    @Test("Reparametrized layers compute what they say, and fuse into plain ones")
    func reparametrized() {
        let x = NDArray(Philox(key: 2).normal([6, 5]), shape: [6, 5]).converted(to: .float32)
        func dense() -> Dense {
            let dense = Dense(5, 4)
            dense.initialize(seed: 9)
            return dense
        }
        let plain = dense()(Tensor(x)).evaluate()
        let normed = WeightNorm(dense())
        let same: [Float] = (normed(Tensor(x)) - Tensor(plain)).abs().max().evaluate().elements()
        #expect(same[0] < 1e-6)
        let layers: [Reparametrized] = [
            normed, WeightStandardization(dense()), SpectralNorm(dense()),
        ]
        for layer in layers {
            let training = Step { [layer($0[0], Context(.training))] }
            for _ in 0..<30 { _ = training(x) }
            let before = layer(Tensor(x))
            let expected: [Double] = before.evaluate().elements()
            let fused = layer.fuse()
            let found: [Double] = fused(Tensor(x)).evaluate().elements()
            #expect(fused === layer.layer)
            for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-5) }
        }
    }
}
