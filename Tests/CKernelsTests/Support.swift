import CKernels
import Testing

/// A small generator, so that every run sees the same numbers.
struct Generator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD >> 11
    }

    /// Between -1 and 1.
    mutating func uniform() -> Float { Float(next() & 0xFFFFFF) / 8_388_608 - 1 }

    mutating func floats(_ count: Int, scale: Float = 1, offset: Float = 0) -> [Float] {
        (0..<count).map { _ in uniform() * scale + offset }
    }
}

/// [outer, channels, inner].
struct Shape: CustomTestStringConvertible, Sendable {
    var outer: Int
    var channels: Int
    var inner: Int

    var count: Int { outer * channels * inner }
    var positions: Int { outer * inner }
    var testDescription: String { "[\(outer), \(channels), \(inner)]" }

    func channel(_ index: Int) -> Int { index / inner % channels }
    func position(_ index: Int) -> Int { index / (channels * inner) * inner + index % inner }

    /// Channels and inner sizes around the vectors' and strips' ends; as many outer indices as fill
    /// folded rows, tiles, and what is left of both.
    static let all: [Shape] = {
        var shapes: [Shape] = []
        for channels in [1, 2, 3, 5, 7, 16, 17, 31, 33, 64, 100, 257] {
            for inner in [1, 2, 5, 49] {
                for outer in [1, 3, 70] where outer * channels * inner <= 20_000 {
                    shapes.append(Shape(outer: outer, channels: channels, inner: inner))
                }
            }
        }
        return shapes + [
            Shape(outer: 37, channels: 600, inner: 1), Shape(outer: 2, channels: 2, inner: 2500),
            Shape(outer: 1000, channels: 2, inner: 1), Shape(outer: 4, channels: 40, inner: 31),
        ]
    }()
}

/// Runs `body` with the best instruction set and with that which every processor has.
func onEveryLevel(_ body: () throws -> Void) rethrows {
    defer { ek_limit_level(-1) }
    for level in [EK_LEVEL_BASELINE, EK_LEVEL_V3, EK_LEVEL_V4] where level <= ek_highest_level() {
        ek_limit_level(level)
        try body()
    }
}

/// The largest |a - b| / (scale + |b|); infinite when a NaN stands against a number.
func worst(_ a: [Float], _ b: [Double], scale: Double = 1) -> Double {
    worst(a.map(Double.init), b, scale: scale)
}

func worst(_ a: [Double], _ b: [Double], scale: Double = 1) -> Double {
    guard a.count == b.count else { return .infinity }
    var largest = 0.0
    for (x, y) in zip(a, b) where !(x.isNaN && y.isNaN) && x != y {
        let error = abs(x - y) / (scale + abs(y))
        largest = error.isNaN ? .infinity : max(largest, error)
    }
    return largest
}
