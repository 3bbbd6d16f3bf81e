import Arrays
import RealModule

/// For each sample of a batch another one of the data to mix it with, and in which proportion (Zhang et
/// al. 2018, "mixup: beyond empirical risk minimization").
///
/// Inputs: int32 indices `[samples]` and the epoch, an int64 scalar. Outputs: int32 partners `[samples]`,
/// any sample of the data with equal probability, and float32 `[samples]`, the sample's own part: the
/// larger of a number from the distribution Beta(alpha, alpha) and what it lacks to 1.
///
/// A sample's partner depends on the seed, the epoch and its index alone, so pairs are the same for every
/// batch size, number of threads and number of machines.
public struct MixupPartners: Operation {
    public let seed: UInt64
    /// In 0 (excluded) to 1: the smaller, the more samples stay nearly as they are.
    public let alpha: Double
    /// The number of samples in the data.
    public let count: Int

    public init(seed: UInt64, alpha: Double, count: Int) {
        self.seed = seed
        self.alpha = alpha
        self.count = count
    }

    public var name: String { "mixupPartners(\(alpha))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let (indices, epoch) = (inputs[0], inputs[1])
        checkIndices(indices)
        guard indices.shape.rank == 1, epoch.shape == [], epoch.type == .int64 else {
            fail("expected indices [samples] and the epoch as an int64 scalar, found \(inputs)")
        }
        guard alpha > 0, alpha <= 1, count > 0, count <= Int32.max else {
            fail("expected an alpha above 0 up to 1 and some samples, found \(alpha) and \(count)")
        }
        return [TensorSpec(indices.shape, .int32), TensorSpec(indices.shape, .float32)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true, false])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil, nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let epoch = Int64(inputs[1].elements[0])
        let draws = inputs[0].elements.map { draw(epoch: epoch, index: Int32($0)) }
        let shape = inputs[0].shape
        return [
            Values(shape: shape, draws.map { T($0.partner) }),
            Values(shape: shape, draws.map { T($0.part) }),
        ]
    }

    /// The partner of a sample, and the sample's own part in 0.5...1.
    public func draw(epoch: Int64, index: Int32) -> (partner: Int32, part: Float) {
        let philox = Philox(key: seed).derived(0x4D69_7875_7000)
        let sample = UInt64(UInt32(bitPattern: index)) << 32
        let words = philox(sample, UInt64(bitPattern: epoch))
        let partner = Int32((UInt64(words.0) * UInt64(count)) >> 32)
        // Johnk's method; of 64 attempts, each fails with a probability of at most one half.
        for attempt in 1...64 {
            let words = philox(sample | UInt64(attempt), UInt64(bitPattern: epoch))
            let x = Double.pow(Philox.unit(words.0, words.1), 1 / alpha)
            let y = Double.pow(Philox.unit(words.2, words.3), 1 / alpha)
            if x + y > 0, x + y <= 1 { return (partner, Float(max(x, y) / (x + y))) }
        }
        return (partner, 1)
    }
}
