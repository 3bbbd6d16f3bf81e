import Arrays
import Datasets
import Graph
import Layers
import Runtime
import Testing
import Training

@Suite("Augmentation")
struct AugmentationTests {
    /// Random images in which the class is told by the brightness of a channel.
    private func data(_ count: Int = 40) throws -> Dataset {
        var pixels = Philox(key: 3).uniform([count, 6, 6, 3], in: 0..<128).map { UInt8($0) }
        for sample in 0..<count {
            for pixel in 0..<36 { pixels[(sample * 36 + pixel) * 3 + sample % 3] += 100 }
        }
        return try Dataset(
            features: NDArray(pixels, shape: [count, 6, 6, 3]),
            labels: NDArray((0..<count).map { Int32($0 % 3) }), scale: 1 / 255)
    }

    private func images(
        _ operation: AugmentedGather, _ table: NDArray, _ indices: [Int32], epoch: Int64,
        threads: Int = 1
    ) -> NDArray {
        Step(workers: Workers(count: threads)) { Node(operation, $0).tensors }
            .run([table, NDArray(indices), NDArray(scalar: epoch)]).outputs[0]
    }

    @Test("An image's fate does not depend on its batch or on threads")
    func independence() throws {
        let table = try data().features
        let operation = AugmentedGather(
            seed: 9, padding: 2, flips: true, cutout: 2, scale: [1, 1, 1], shift: [0, 0, 0])
        let order = (0..<40).map { Int32($0 * 7 % 40) }
        let all = images(operation, table, order, epoch: 4)
        for threads in [2, 3] {
            #expect(images(operation, table, order, epoch: 4, threads: threads) == all)
        }
        for (start, count) in [(0, 1), (3, 5), (17, 23), (39, 1)] {
            let part = images(
                operation, table, Array(order[start..<(start + count)]), epoch: 4)
            #expect(part == all.rows(start..<(start + count)))
        }
        #expect(images(operation, table, order, epoch: 5) != all)
    }

    @Test("Shifts, mirror images and cuts come as often as they should")
    func draws() {
        let operation = AugmentedGather(
            seed: 1, padding: 2, flips: true, cutout: 4, scale: [1], shift: [0])
        let draws = (0..<4000).map { operation.draw(epoch: 0, index: $0, height: 8, width: 10) }
        for shift in -2...2 {
            #expect((650...950).contains(draws.count { $0.down == shift }))
            #expect((650...950).contains(draws.count { $0.right == shift }))
        }
        #expect((1850...2150).contains(draws.count(where: \.isMirrored)))
        #expect(
            draws.allSatisfy { (2...4).contains($0.cutRows.count) && $0.cutRows.upperBound <= 8 })
        #expect(Set(draws.map(\.cutColumns.upperBound)) == Set(2...10))
    }

    @Test("Mixup's parts follow the folded Beta distribution, partners are uniform")
    func mixup() {
        for (alpha, mean) in [(1.0, 0.75), (0.2, 0.9067)] {
            let operation = MixupPartners(seed: 1, alpha: alpha, count: 10)
            let draws = (0..<4000).map { operation.draw(epoch: 2, index: $0) }
            #expect(draws.allSatisfy { (0.5...1).contains($0.part) })
            let average = draws.reduce(0) { $0 + Double($1.part) } / 4000
            #expect(abs(average - mean) < 0.015, "alpha \(alpha): \(average)")
            for partner in 0..<10 {
                #expect((310...490).contains(draws.count { $0.partner == partner }))
            }
        }
    }

    @Test("Statistics of channels are exact; inputs come out normalized")
    func normalization() throws {
        let pixels: [UInt8] = [10, 0, 20, 255, 10, 0, 40, 255]
        let data = try Dataset(
            features: NDArray(pixels, shape: [2, 1, 2, 2]), labels: NDArray([Int32(0), 1]),
            scale: 0.5, shift: 1)
        let found = try ChannelNormalization(of: data)
        #expect(found.mean == [11, 64.75])
        #expect(abs(found.deviation[0] - 37.5.squareRoot()) < 1e-12)
        #expect(found.deviation[1] == 63.75)
        let normalized = try data.normalized(by: found).subset([0, 1])
        #expect(normalized.normalization == found)
        #expect(normalized.flattened().normalization?.mean == [11, 64.75, 11, 64.75])

        // What a model is given has mean 0 and deviation 1, in evaluation too.
        let trainer = Trainer(Flatten(), loss: .crossEntropy, optimizer: SGD(learningRate: 0))
        let inputs = try trainer.predict(normalized).elements(as: Double.self)
        for channel in 0..<2 {
            let values = stride(from: channel, to: 8, by: 2).map { inputs[$0] }
            #expect(abs(values.reduce(0, +)) < 1e-5)
            #expect(abs(values.reduce(0) { $0 + $1 * $1 } - 4) < 1e-5)
        }
    }

    private func train(
        _ augmentation: Augmentation?, threads: Int = 1, epochs: Int = 4, data: Dataset
    ) throws -> (history: TrainingHistory, values: [NDArray]) {
        let model = Sequential {
            Flatten()
            Dense(108, 12)
            BatchNorm(12)
            ReLU()
            Dense(12, 3)
        }
        model.initialize(seed: 2)
        let trainer = Trainer(
            model, loss: .crossEntropy, optimizer: Adam(learningRate: 0.02), metrics: [.accuracy],
            seed: 5, augmentation: augmentation, workers: Workers(count: threads))
        let history = try trainer.fit(data, .epochs(epochs), batchSize: 16, validation: data)
        return (history, model.parameters.map(\.value))
    }

    @Test(
        "Training with it learns, and gives the same bits for any number of threads",
        arguments: [
            Augmentation(padding: 1, flips: true), Augmentation(padding: 1, flips: true, cutout: 2),
            Augmentation(flips: true, mixup: 0.3),
        ])
    func trains(augmentation: Augmentation) throws {
        let raw = try data()
        let data = try raw.normalized(by: ChannelNormalization(of: raw))
        let one = try train(augmentation, epochs: 10, data: data)
        let three = try train(augmentation, threads: 3, epochs: 10, data: data)
        #expect(one.values == three.values)
        #expect(try #require(one.history.epochs.last?.validation?.metrics["accuracy"]) > 0.9)
        #expect(try train(nil, epochs: 10, data: data).values != one.values)
    }

    @Test("Augmentation that changes nothing changes nothing")
    func identity() throws {
        let data = try data()
        let plain = try train(nil, data: data).history.epochs.map(\.trainLoss)
        let same = try train(Augmentation(), data: data).history.epochs.map(\.trainLoss)
        for (a, b) in zip(plain, same) { #expect(abs(a - b) < 1e-4) }
    }

    @Test("Data that are no images of bytes are refused")
    func refusals() throws {
        let flat = try data().flattened()
        #expect(throws: TrainingError.self) { try train(Augmentation(flips: true), data: flat) }
    }
}
