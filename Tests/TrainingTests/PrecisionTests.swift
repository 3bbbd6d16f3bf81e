import Arrays
import Datasets
import Graph
import Layers
import Runtime
import Testing

import Training

@Suite("Training in bfloat16")
struct PrecisionTests {
    /// Noisy pictures of a bar, upright or not.
    static func data(_ count: Int = 96) throws -> Dataset {
        let noise = Philox(key: 4).normal([count, 8, 8])
        let pixels = (0..<(count * 64)).map { index -> UInt8 in
            let (sample, row, column) = (index / 64, index / 8 % 8, index % 8)
            let isBar = (sample % 2 == 0 ? row : column) == 2 + sample / 2 % 4
            return UInt8(max(0, min(255, 60 + 25 * noise[index] + (isBar ? 120 : 0))))
        }
        return try Dataset(
            features: NDArray(pixels, shape: [count, 8, 8, 1]),
            labels: NDArray((0..<count).map { Int32($0 % 2) }), scale: 1 / 255)
    }

    static func model() -> Sequential {
        let model = Sequential {
            Conv2D(1, 16, kernel: 3, padding: 1, bias: false)
            BatchNorm(16)
            ReLU()
            Conv2D(16, 16, kernel: 3, strides: 2, padding: 1)
            ReLU()
            MaxPool(2)
            GlobalAveragePool()
            Dropout(0.1)
            Dense(16, 2)
        }
        model.initialize(seed: 2)
        return model
    }

    static func train(_ precision: Precision, threads: Int = 2) throws -> (Module, [Double]) {
        let model = model()
        let trainer = Trainer(
            model, loss: .crossEntropy, optimizer: Adam(learningRate: 0.01), precision: precision,
            workers: Workers(count: threads))
        let history = try trainer.fit(try data(), .epochs(6), batchSize: 24)
        return (model, history.epochs.map(\.trainLoss))
    }

    @Test("It learns as float32 does, and keeps everything that lasts in float32")
    func learns() throws {
        let (model, losses) = try Self.train(.bfloat16)
        let (_, reference) = try Self.train(.float32)
        #expect(losses.last! < 0.6 * losses[0])
        for (a, b) in zip(losses, reference) { #expect(abs(a - b) < 0.06) }
        // The rounding shows, where the processor computes with bfloat16.
        #expect((losses != reference) == (Precision.bfloat16.supported == .bfloat16))
        for (name, variable) in model.namedVariables {
            #expect(variable.spec.type == (name.hasSuffix("tracked") ? .int64 : .float32))
        }
    }

    @Test("The same bits on any number of threads")
    func reproducible() throws {
        let runs = try [1, 2, 3].map { try Self.train(.bfloat16, threads: $0) }
        for (model, losses) in runs {
            #expect(losses == runs[0].1)
            for (a, b) in zip(model.parameters, runs[0].0.parameters) {
                #expect(a.value.elements(as: Float.self) == b.value.elements(as: Float.self))
            }
        }
    }
}
