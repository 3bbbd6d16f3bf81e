import Arrays
import Testing

@Suite struct PhiloxTests {
    /// The vectors published with Random123 (`kat_vectors`, philox4x32 with 10 rounds).
    @Test func knownAnswers() {
        func check(_ key: UInt64, _ low: UInt64, _ high: UInt64, _ expected: [UInt32]) {
            let words = Philox(key: key)(low, high)
            #expect([words.0, words.1, words.2, words.3] == expected)
        }
        check(0, 0, 0, [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8])
        check(.max, .max, .max, [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD])
        // Digits of pi: counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0.
        check(
            0x299F_31D0_A409_3822, 0x85A3_08D3_243F_6A88, 0x0370_7344_1319_8A2E,
            [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1])
    }

    @Test func unitsLieBelowOne() {
        #expect(Philox.unit(0) == 0 && Philox.unit(.max) == 1 - 0x1p-24)
        #expect(Philox.unit(0, 0) == 0 && Philox.unit(.max, .max) == 1 - 0x1p-53)
    }

    @Test func derivedStreamsDiffer() {
        let philox = Philox(key: 7)
        let keys = Set((0..<1000).map { philox.derived($0).key })
        #expect(keys.count == 1000)
        #expect(!keys.contains(philox.key))
    }

    @Test func elementsDependOnTheirIndexOnly() {
        let philox = Philox(key: 3)
        let whole = philox.normal([100])
        #expect(Array(whole[40..<60]) == philox.normal([20], offset: 40))
        #expect(Array(philox.uniform([100])[40..<60]) == philox.uniform([4, 5], offset: 40))
    }

    /// Sample moments lie within five standard errors of the distribution's.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func moments(seed: UInt64) {
        let count = 50_000
        func moment(_ values: [Double], _ power: Int) -> Double {
            values.reduce(0) { sum, x in sum + (0..<power).reduce(1.0) { p, _ in p * x } }
                / Double(count)
        }
        func check(_ found: Double, _ expected: Double, _ deviation: Double) {
            #expect(abs(found - expected) < 5 * deviation / Double(count).squareRoot())
        }
        let normal = Philox(key: seed).normal([count])
        check(moment(normal, 1), 0, 1)
        check(moment(normal, 2), 1, 2.0.squareRoot())
        check(moment(normal, 3), 0, 15.0.squareRoot())
        check(moment(normal, 4), 3, 96.0.squareRoot())

        let uniform = Philox(key: seed).uniform([count], in: -1..<1)
        #expect(uniform.allSatisfy { $0 >= -1 && $0 < 1 })
        check(moment(uniform, 1), 0, (1.0 / 3).squareRoot())
        check(moment(uniform, 2), 1.0 / 3, (1.0 / 5 - 1.0 / 9).squareRoot())
    }

    @Test func generatorsContinueFromTheirCounter() {
        var first = PhiloxGenerator(seed: 5)
        let values = (0..<8).map { _ in first.next() }
        var second = PhiloxGenerator(seed: 5, counter: 3)
        #expect((3..<8).map { _ in second.next() } == Array(values[3...]))
        #expect(Set(values).count == 8)
    }
}
