import Arrays
import Datasets
import Testing

@Suite struct BatchSamplerTests {
    @Test(arguments: [0, 1, 2, 3, 10, 1000])
    func everyEpochIsAPermutation(_ count: Int) {
        let order = EpochOrder(count: count, seed: 1)
        for epoch in 0..<3 {
            #expect(order.indices(epoch: epoch).sorted() == (0..<Int32(count)).map { $0 })
            #expect(order.indices(epoch: epoch) == order.indices(epoch: epoch))
        }
        let plain = EpochOrder(count: count, seed: 1, isShuffled: false)
        #expect(plain.indices(epoch: 5) == (0..<Int32(count)).map { $0 })
    }

    @Test func seedsAndEpochsDiffer() {
        var seen: Set<[Int32]> = []
        for seed in UInt64(0)..<20 {
            for epoch in 0..<20 {
                seen.insert(EpochOrder(count: 100, seed: seed).indices(epoch: epoch))
            }
        }
        #expect(seen.count == 400)
    }

    /// All 24 orders of four samples come up equally often (chi-squared, 23 degrees of freedom:
    /// beyond 60 with a probability of 4e-5, and the numbers are always the same).
    @Test func ordersAreEquallyLikely() {
        var counts: [[Int32]: Int] = [:]
        let order = EpochOrder(count: 4, seed: 11)
        for epoch in 0..<4800 { counts[order.indices(epoch: epoch), default: 0] += 1 }
        #expect(counts.count == 24)
        let deviation = counts.values.reduce(0.0) { sum, count in
            sum + Double((count - 200) * (count - 200)) / 200
        }
        #expect(deviation < 60)
    }

    /// Runs that were begun with one version of the library must resume with the next.
    @Test func theOrderIsPartOfTheFormat() {
        #expect(EpochOrder(count: 8, seed: 42).indices(epoch: 0) == [0, 4, 3, 6, 2, 7, 1, 5])
        #expect(EpochOrder(count: 8, seed: 42).indices(epoch: 1) == [7, 1, 0, 6, 4, 3, 2, 5])
    }

    @Test(arguments: [(10, 3, false), (10, 3, true), (9, 3, true), (5, 5, false), (5, 8, false)])
    func batchesCoverTheEpoch(count: Int, batchSize: Int, dropsLast: Bool) throws {
        let order = EpochOrder(count: count, seed: 7)
        var sampler = try BatchSampler(order: order, batchSize: batchSize, dropsLast: dropsLast)
        let perEpoch = dropsLast ? count / batchSize : (count + batchSize - 1) / batchSize
        #expect(sampler.batchesPerEpoch == perEpoch)
        for epoch in 0..<3 {
            var seen: [Int32] = []
            for batch in 0..<perEpoch {
                #expect(sampler.step == epoch * perEpoch + batch)
                let next = sampler.next()
                #expect(next.position == .init(epoch: epoch, batch: batch))
                #expect(next.indices.elementType == .int32)
                let isLast = batch == perEpoch - 1
                #expect(isLast && !dropsLast || next.indices.elementCount == batchSize)
                seen += next.indices.elements(as: Int32.self)
            }
            let expected = order.indices(epoch: epoch)
            #expect(seen == Array(expected[..<(dropsLast ? perEpoch * batchSize : count)]))
        }
    }

    @Test func resumingAnywhereGivesTheSameBatches() throws {
        let order = EpochOrder(count: 23, seed: 5)
        var sampler = try BatchSampler(order: order, batchSize: 4)
        let batches = (0..<18).map { _ in sampler.next() }
        for start in 0..<18 {
            var resumed = try BatchSampler(
                order: order, batchSize: 4, position: sampler.position(step: start))
            for expected in batches[start...] {
                #expect(resumed.indices(at: expected.position) == expected.indices)
                let batch = resumed.next()
                #expect(batch.position == expected.position)
                #expect(batch.indices == expected.indices)
            }
            sampler.position = batches[start].position
            #expect(sampler.next().indices == batches[start].indices)
        }
    }

    @Test func whatCannotBeSampledIsRefused() {
        func refused(
            _ count: Int, _ batchSize: Int, dropsLast: Bool = false,
            _ position: BatchSampler.Position = .init()
        ) -> Bool {
            do {
                _ = try BatchSampler(
                    order: EpochOrder(count: count, seed: 0), batchSize: batchSize,
                    dropsLast: dropsLast, position: position)
                return false
            } catch {
                return !error.description.isEmpty
            }
        }
        #expect(refused(10, 0) && refused(10, -1) && refused(0, 1))
        #expect(refused(10, 11, dropsLast: true) && !refused(10, 11))
        #expect(refused(10, 5, .init(epoch: 0, batch: 2)) && refused(10, 5, .init(epoch: -1)))
        #expect(refused(10, 5, .init(epoch: .max)) && refused(10, 5, .init(batch: -1)))
        #expect(!refused(10, 5, .init(epoch: 1000, batch: 1)))
    }
}
