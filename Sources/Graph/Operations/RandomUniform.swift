import Arrays

/// Random numbers for each sample of a batch, uniform in [0, 1): multiples of 2^-24, float32.
///
/// Inputs: the step `[]` (int32 or int64) and the samples' global indices `[samples]` (int32). Output:
/// `[samples] + sampleShape`. What a sample gets depends on the seed, the step and its global index alone,
/// never on its place in the batch, the shard, the thread or the machine: element e of sample i in step s
/// is word `e % 4` of Philox at the counter (low: i << 32 | e / 4, high: s), with the seed as its key.
public struct RandomUniform: Operation {
    public let seed: UInt64
    public let sampleShape: Shape

    public var name: String { "randomUniform" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let (step, indices) = (inputs[0], inputs[1])
        guard step.shape == [], step.type == .int32 || step.type == .int64 else {
            fail("expected the step as an int32 or int64 scalar, found \(step)")
        }
        checkIndices(indices)
        guard indices.shape.rank == 1 else {
            fail("expected the samples' indices of shape [samples], found \(indices)")
        }
        return [TensorSpec(Shape(indices.shape.dimensions + sampleShape), .float32)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [false, true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil, nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let indices = inputs[1]
        let step = Int64(inputs[0].elements[0])
        let elements = indices.elements.flatMap { index in
            (0..<sampleShape.elementCount).map { element in
                let words = words(step: step, index: Int32(index), block: element / 4)
                return T(Philox.unit([words.0, words.1, words.2, words.3][element % 4]))
            }
        }
        return [Values(shape: Shape(indices.shape.dimensions + sampleShape), elements)]
    }

    /// The words of elements `4 * block ..< 4 * block + 4` of a sample; `Philox.unit` makes numbers of them.
    @inlinable
    public func words(step: Int64, index: Int32, block: Int) -> (UInt32, UInt32, UInt32, UInt32) {
        let low =
            UInt64(UInt32(bitPattern: index)) << 32 | UInt64(UInt32(truncatingIfNeeded: block))
        return Philox(key: seed)(low, UInt64(bitPattern: step))
    }
}

extension Tensor {
    /// Random numbers uniform in [0, 1), float32 `[samples] + sampleShape`. A sample's numbers depend on
    /// the seed, the step and its global index alone.
    ///
    /// - Parameters:
    ///   - step: an int32 or int64 scalar that counts steps.
    ///   - indices: the samples' global indices, int32 `[samples]`.
    public static func randomUniform(
        _ sampleShape: Shape, seed: UInt64, step: Tensor, indices: Tensor
    ) -> Tensor {
        Tensor(RandomUniform(seed: seed, sampleShape: sampleShape), step, indices)
    }

    /// Sets each element to zero with probability `rate`, and multiplies the others by `1 / (1 - rate)`
    /// (Srivastava et al. 2014, scaled in training). Give every place that drops a seed of its own.
    ///
    /// - Parameters:
    ///   - rate: in 0..<1.
    ///   - step: an int32 or int64 scalar that counts steps.
    ///   - indices: the samples' global indices, int32 `[samples]`.
    public func dropout(rate: Double, seed: UInt64, step: Tensor, indices: Tensor) -> Tensor {
        precondition(rate >= 0 && rate < 1, "dropout: expected a rate in 0..<1, found \(rate)")
        precondition(
            rank >= 1 && indices.shape == [shape[0]],
            "dropout: expected the indices of the \(shape.first ?? 0) samples of \(spec), "
                + "found \(indices.spec)")
        if rate == 0 { return self }
        let numbers = Tensor.randomUniform(
            Shape(Array(shape.dropFirst())), seed: seed, step: step, indices: indices)
        let zero = Tensor(NDArray(scalar: 0.0).converted(to: elementType))
        return Tensor.select(numbers .>= rate, self * (1 / (1 - rate)), zero)
    }
}
