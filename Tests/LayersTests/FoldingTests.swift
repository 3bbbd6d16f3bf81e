import Arrays
import Graph
import Layers
import Runtime
import TestSupport
import Testing

@Suite("Folding batch norms away")
struct FoldingTests {
    static func images(_ shape: Shape, seed: UInt64 = 5) -> NDArray {
        NDArray(Philox(key: seed).normal(shape).map { Float($0) }, shape: shape)
    }

    static func largestDifference(_ a: NDArray, _ b: NDArray) -> Double {
        let pairs = zip(a.elements(as: Double.self), b.elements(as: Double.self))
        return pairs.map { abs($0 - $1) }.max() ?? .infinity
    }

    static func model(_ layers: [Module], seed: UInt64 = 1) -> Sequential {
        let model = Sequential(layers)
        model.initialize(seed: seed)
        model.pretendTraining(seed: seed)
        return model
    }

    /// Layers with the shape of an input and the channels that come out.
    static func layers(bias: Bool) -> [(layer: Module, input: Shape, channels: Int)] {
        [
            (Dense(5, 4, bias: bias), [3, 5], 4), (Dense(5, 4, bias: bias), [3, 2, 5], 4),
            (Conv1D(4, 6, kernel: 3, groups: 2, bias: bias), [3, 7, 4], 6),
            (
                Conv2D(3, 4, kernel: [3, 2], strides: 2, padding: 1, bias: bias), [3, 7, 6, 3], 4
            ),
            (Conv2D(6, 6, kernel: 3, padding: .same, groups: 6, bias: bias), [3, 5, 5, 6], 6),
            (Conv2D(4, 6, kernel: 3, dilations: 2, groups: 2, bias: bias), [3, 7, 7, 4], 6),
            (Conv3D(2, 3, kernel: 2, bias: bias), [2, 3, 4, 3, 2], 3),
            (
                ConvTranspose1D(4, 6, kernel: 3, strides: 2, groups: 2, bias: bias),
                [2, 5, 4], 6
            ),
            (
                ConvTranspose2D(
                    4, 2, kernel: 3, strides: 2, padding: 1, outputPadding: 1, groups: 2,
                    bias: bias), [2, 3, 4, 4], 2
            ),
        ]
    }

    @Test("Behind every linear layer", arguments: layers(bias: true).indices, [true, false])
    func behind(_ index: Int, _ bias: Bool) throws {
        let (layer, input, channels) = Self.layers(bias: bias)[index]
        let model = Self.model([layer, BatchNorm(channels), ReLU()])
        let x = Self.images(input)
        let before = model(Tensor(x)).evaluate()
        let certificate = try model.fold(verifying: x, batchSize: 2)
        #expect(certificate.folded == ["1"] && certificate.kept.isEmpty)
        #expect(model.namedParameters.map(\.name) == ["0.weight", "0.bias"])
        #expect(model.states.isEmpty)
        let difference = Self.largestDifference(model(Tensor(x)).evaluate(), before)
        #expect(difference < 1e-5 && difference <= certificate.roundingBound)
        #expect(before.elements(as: Float.self).contains { $0 > 0.1 })
    }

    /// In front of dense layers and of convolutions without padding.
    static var frontLayers: [(Module, Shape)] {
        [
            (Dense(5, 4), [3, 5]), (Dense(5, 4, bias: false), [3, 2, 5]),
            (Conv1D(4, 6, kernel: 3, groups: 2), [3, 7, 4]),
            (Conv2D(6, 6, kernel: 3, strides: 2, groups: 6, bias: false), [3, 7, 5, 6]),
            (Conv2D(3, 4, kernel: 1), [3, 5, 5, 3]),
        ]
    }

    @Test("In front of a layer", arguments: frontLayers.indices)
    func front(_ index: Int) throws {
        let (layer, input) = Self.frontLayers[index]
        let model = Self.model([BatchNorm(input[input.rank - 1]), layer])
        let x = Self.images(input)
        let before = model(Tensor(x)).evaluate()
        #expect(try model.fold(verifying: x).folded == ["0"])
        #expect(model.states.isEmpty)
        #expect(Self.largestDifference(model(Tensor(x)).evaluate(), before) < 1e-5)
    }

    /// What an image goes through between a norm and a dense layer without mattering to the norm, with the
    /// dense layer's inputs.
    static var flattenings: [(between: [Module], inputs: Int)] {
        [
            ([Flatten()], 60), ([AveragePool(2), Flatten()], 12), ([GlobalAveragePool()], 3),
            ([AveragePool(3, padding: 1, countsPadding: false), Flatten()], 12),
        ]
    }

    @Test("In front of a flattened image's dense layer", arguments: flattenings.indices)
    func flattened(_ index: Int) throws {
        let (between, inputs) = Self.flattenings[index]
        let model = Self.model([BatchNorm(3)] + between + [Dense(inputs, 7), Tanh()])
        let x = Self.images([4, 4, 5, 3])
        let before = model(Tensor(x)).evaluate()
        let certificate = try model.fold(verifying: x)
        #expect(certificate.folded == ["0"] && certificate.kept.isEmpty)
        #expect(certificate.isWithinBound && model.states.isEmpty)
        #expect(Self.largestDifference(model(Tensor(x)).evaluate(), before) < 1e-5)
    }

    @Test("Behind a layer whose output is averaged")
    func averaged() throws {
        let model = Self.model([
            Conv2D(3, 4, kernel: 3, padding: 1), GlobalAveragePool(), BatchNorm(4), Tanh(),
        ])
        let x = Self.images([2, 5, 4, 3])
        let before = model(Tensor(x)).evaluate()
        #expect(try model.fold(verifying: x).folded == ["2"])
        #expect(Self.largestDifference(model(Tensor(x)).evaluate(), before) < 1e-5)
    }

    @Test("Zeros that count, and maxima, keep a norm where it is", arguments: [true, false])
    func notAveraged(_ isMaximum: Bool) throws {
        let pool: Module =
            isMaximum ? MaxPool(2) : AveragePool(3, padding: 1, countsPadding: true)
        let model = Self.model([BatchNorm(3), pool, Flatten(), Dense(12, 7)])
        #expect(throws: FoldingError.self) {
            try model.fold(verifying: Self.images([2, 4, 5, 3]))
        }
    }

    @Test("Frozen norms fold like others", arguments: [true, false])
    func frozen(_ isBehind: Bool) throws {
        let trained = BatchNorm(4)
        Sequential([trained]).pretendTraining(seed: 9)
        let norm = FrozenBatchNorm(trained)
        let layer = Conv2D(4, 4, kernel: 2, bias: false)
        let layers: [Module] = isBehind ? [layer, norm, ReLU()] : [norm, layer]
        let model = Sequential(layers)
        layer.initialize(seed: 3)
        let x = Self.images([3, 4, 4, 4])
        let before = model(Tensor(x)).evaluate()
        let certificate = try model.fold(verifying: x)
        #expect(certificate.folded == [isBehind ? "1" : "0"] && certificate.isWithinBound)
        #expect(model.states.isEmpty && model.parameters.count == 2)
        #expect(Self.largestDifference(model(Tensor(x)).evaluate(), before) < 1e-5)

        // Nothing to fold a variance of 0 with.
        let flat = FrozenBatchNorm(4)
        flat.runningVariance.value = NDArray([1, 0, 1, 1] as [Float])
        let error = #expect(throws: FoldingError.self) {
            try Sequential([Conv2D(4, 4, kernel: 2), flat]).fold(verifying: x)
        }
        #expect("\(try #require(error))".contains("near 0"))
    }

    @Test("Ghost batch norms fold like batch norms", arguments: [true, false])
    func ghosts(_ isBehind: Bool) throws {
        let layer = Conv2D(4, 4, kernel: 2, bias: false)
        let layers: [Module] =
            isBehind ? [layer, BatchNorm(4), ReLU()] : [BatchNorm(4), layer]
        let model = Sequential(layers)
        // In the norm's place, as a network's normalizer is chosen by name.
        model.replacing(BatchNorm.self) { old in
            let ghost = GhostBatchNorm(ghostSize: 2, old.channels)
            ghost.norm.pretendTraining(seed: 9)
            return ghost
        }
        layer.initialize(seed: 3)
        let x = Self.images([3, 4, 4, 4])
        let before = model(Tensor(x)).evaluate()
        #expect(model.states.count == 3)
        let certificate = try model.fold(verifying: x)
        #expect(certificate.folded == [isBehind ? "1" : "0"] && certificate.isWithinBound)
        #expect(model.states.isEmpty && model.parameters.count == 2)
        #expect(Self.largestDifference(model(Tensor(x)).evaluate(), before) < 1e-5)
    }

    @Test("A layer between two norms takes both")
    func between() throws {
        let model = Self.model([BatchNorm(3), Conv2D(3, 4, kernel: 2), BatchNorm(4), Tanh()])
        let x = Self.images([2, 4, 4, 3])
        let before = model(Tensor(x)).evaluate()
        #expect(try model.fold(verifying: x).folded == ["0", "2"])
        #expect(Self.largestDifference(model(Tensor(x)).evaluate(), before) < 1e-5)
    }

    @Test("What cannot be folded stays, with a reason")
    func kept() throws {
        final class Branching: Module {
            let conv = Conv2D(2, 2, kernel: 1)
            let norm = BatchNorm(2)
            let dense = Dense(2, 2)
            let last = BatchNorm(2)
            override func call(_ input: Tensor, _ context: Context) -> Tensor {
                // The convolution's output is used beside the norm.
                let x = conv(input, context)
                let y = x + norm(x, context).relu()
                return last(dense(y.globalAveragePooled(), context), context)
            }
        }
        let branching = Branching()
        branching.pretendTraining(seed: 2)
        let certificate = try branching.fold(verifying: Self.images([2, 3, 3, 2]))
        #expect(certificate.folded == ["last"])
        #expect(Array(certificate.kept.keys) == ["norm"])

        for (layer, word) in [
            (Conv2D(2, 3, kernel: 3, padding: 1), "pads"),
            (ConvTranspose2D(2, 3, kernel: 2), "transposed"), (ReLU(), "stands"),
        ] as [(Module, String)] {
            let model = Self.model([BatchNorm(2), layer])
            let error = #expect(throws: FoldingError.self) {
                try model.fold(verifying: Self.images([2, 4, 4, 2]))
            }
            #expect("\(try #require(error))".contains(word))
            #expect(model.namedStates.count == 3)
        }
        // Shared by two places, it would need two layers.
        let shared = BatchNorm(2)
        let model = Self.model([Dense(2, 2), shared, Dense(2, 2), shared])
        #expect(throws: FoldingError.self) { try model.fold(verifying: Self.images([3, 2])) }
    }

    @Test("Refusals change nothing")
    func refusals() throws {
        func check(_ word: String, _ prepare: (BatchNorm, Sequential) -> Void) throws {
            let norm = BatchNorm(4)
            let model = Self.model([Dense(5, 4), norm, ReLU()])
            prepare(norm, model)
            let x = Self.images([3, 5])
            let before = model(Tensor(x)).evaluate()
            let names = model.namedParameters.map(\.name)
            let error = #expect(throws: FoldingError.self) { try model.fold(verifying: x) }
            let text = "\(try #require(error))"
            #expect(text.contains(word) && text.hasPrefix("1: "), "\(text)")
            #expect(model.namedParameters.map(\.name) == names && model.states.count == 3)
            #expect(model(Tensor(x)).evaluate() == before)
        }
        try check("never updated") { $1.initialize(seed: 1) }
        try check("near 0") { norm, _ in
            norm.statistics!.runningVariance.value = NDArray([1, 1, 1e-9, 1] as [Float])
        }
        try check("by the batch") { norm, _ in norm.normalization = .batch }
    }

    @Test("A difference beyond rounding is refused and taken back")
    func difference() throws {
        /// Uses its layer's numbers behind its back.
        final class Odd: Module {
            let dense = Dense(3, 4)
            let norm = BatchNorm(4)
            override func call(_ input: Tensor, _ context: Context) -> Tensor {
                norm(input.matmul(dense.weight.tensor, transposingOther: true), context)
            }
        }
        let model = Odd()
        model.pretendTraining(seed: 3)
        let x = Self.images([2, 3])
        let before = model(Tensor(x)).evaluate()
        let error = #expect(throws: FoldingError.self) { try model.fold(verifying: x) }
        #expect("\(try #require(error))".contains("differs"))
        #expect(model(Tensor(x)).evaluate() == before && model.states.count == 3)
    }

    @Test("A new model takes the folded structure and reads the values")
    func structure() throws {
        func make() -> Sequential {
            Self.model([Conv2D(2, 3, kernel: 3, bias: false), BatchNorm(3), ReLU()])
        }
        let (model, other) = (make(), make())
        let x = Self.images([2, 5, 5, 2])
        _ = try model.fold(verifying: x)
        try other.takeFoldedStructure(input: TensorSpec([1, 5, 5, 2], .float32))
        #expect(other.namedParameters.map(\.name) == model.namedParameters.map(\.name))
        for (target, source) in zip(other.parameters, model.parameters) {
            target.value = source.value
        }
        #expect(other(Tensor(x)).evaluate() == model(Tensor(x)).evaluate())
    }
}
