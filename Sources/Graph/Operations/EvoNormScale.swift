import Arrays

/// EvoNorm-B0's output from its statistics (Liu et al. 2020): `x / max(b, v x + s) * gamma + beta`, with b
/// the deviation of the batch and s that of each sample; 0 / 0 is 0.
///
/// Inputs: `x`, then float64 vectors: b and v `[channels]`, s `[rows, channels]`, gamma and beta
/// `[channels]`.
public struct EvoNormScale: Operation {
    /// The channel axis.
    public let axis: Int

    public init(axis: Int) { self.axis = axis }

    public var name: String { "evoNormScale" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkEvoNorm(inputs[0], axis: axis, vectors: [1, 2, 4, 5].map { inputs[$0] }, inputs[3])
        return [inputs[0]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true, false, false, true, false, false])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let given = [call.gradient] + call.inputs[..<5]
        let sums = Node(EvoNormSums(axis: axis), given).tensors
        func overRows(_ index: Int) -> Tensor { sums[index].sum(axes: [0]) }
        return [
            Tensor(node: Node(EvoNormInputGradient(axis: axis), given), index: 0),
            overRows(2), overRows(4), sums[3], overRows(1), overRows(0),
        ]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var y = inputs[0]
        let point = EvoNormPoint(inputs[1...4])
        let beta = inputs[5].elements
        GroupView(y.shape, axis: axis, groups: y.shape[axis]).forEach {
            offset, statistic, channel in
            let (quotient, _, _) = point(y.elements[offset], statistic, channel)
            y.elements[offset] = quotient * point.gamma[channel] + beta[channel]
        }
        return [y]
    }
}

/// The sums of EvoNorm-B0's backward pass, per row and channel, each float64 `[rows, channels]`. With
/// `d = max(b, v x + s)`, q = x / d, `e = -dy gamma q / d`, and m = 1 where `v x + s` is larger than b, 1/2
/// where they are equal and else 0: the sums of dy, dy q, e (1 - m), e m and e m x.
///
/// Inputs: `dy`, `x`, and b, v, s and gamma as those of ``EvoNormScale``.
public struct EvoNormSums: Operation {
    public let axis: Int

    public init(axis: Int) { self.axis = axis }

    public var name: String { "evoNormSums" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkEvoNorm(inputs[1], axis: axis, vectors: [2, 3, 5].map { inputs[$0] }, inputs[4])
        return [TensorSpec](repeating: inputs[4], count: 5)
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [true, true, false, false, true, false])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        call.partialDerivatives { EvoNormFormula($0, axis: axis).sums }
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (dy, x) = (inputs[0].elements, inputs[1].elements)
        let point = EvoNormPoint(inputs[2...5])
        let view = GroupView(inputs[1].shape, axis: axis, groups: inputs[1].shape[axis])
        var sums = [[T]](
            repeating: [T](repeating: 0, count: view.rows * view.channels), count: 5)
        view.forEach { offset, statistic, channel in
            let (q, inverse, m) = point(x[offset], statistic, channel)
            let e = -(dy[offset] * point.gamma[channel] * q * inverse)
            let terms = [dy[offset], dy[offset] * q, e * (1 - m), e * m, e * m * x[offset]]
            for (index, term) in terms.enumerated() { sums[index][statistic] += term }
        }
        return sums.map { Values(shape: inputs[4].shape, $0) }
    }
}

/// EvoNorm-B0's gradient of its input with the statistics held: `dy gamma / d + e m v`, in the terms of
/// ``EvoNormSums`` and with its inputs.
///
/// With `hasMoments`, what the statistics add is added on the way: `(x - mean - low) * scale + shift` with
/// these four per channel, and with mean, low and scale per row and channel, which are further inputs in
/// this order. Made by fusion only.
public struct EvoNormInputGradient: Operation {
    public let axis: Int
    public let hasMoments: Bool

    public init(axis: Int, hasMoments: Bool = false) {
        self.axis = axis
        self.hasMoments = hasMoments
    }

    public var name: String { "evoNormInputGradient" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        checkEvoNorm(
            inputs[1], axis: axis, vectors: [2, 3, 5].map { inputs[$0] } + inputs[6...].prefix(4),
            inputs[4])
        return [inputs[1]]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(
            aligned: [true, true, false, false, true, false]
                + (hasMoments ? [false, false, false, false, true, true, true] : []))
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        if hasMoments { fail("fused forms have no gradient rule") }
        return call.partialDerivatives { [EvoNormFormula($0, axis: axis).inputGradient] }
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        var dx = inputs[1]
        let dy = inputs[0].elements
        let point = EvoNormPoint(inputs[2...5])
        let moments = inputs[6...].map(\.elements)
        GroupView(dx.shape, axis: axis, groups: dx.shape[axis]).forEach {
            offset, statistic, channel in
            let x = dx.elements[offset]
            let (q, inverse, m) = point(x, statistic, channel)
            let share = dy[offset] * point.gamma[channel] * inverse
            dx.elements[offset] = share - share * q * m * point.slope[channel]
            guard hasMoments else { return }
            dx.elements[offset] +=
                (x - moments[0][channel] - moments[1][channel]) * moments[2][channel]
                + moments[3][channel]
                + (x - moments[4][statistic] - moments[5][statistic]) * moments[6][statistic]
        }
        return [dx]
    }
}

extension Tensor {
    /// `self / max(batch, slope * self + sample) * gamma + beta`, EvoNorm-B0's output: float64 vectors with
    /// one value per channel, and `sample` with one per row and channel. 0 / 0 is 0.
    public func evoNormScale(
        axis: Int, batch: Tensor, slope: Tensor, sample: Tensor, gamma: Tensor, beta: Tensor
    ) -> Tensor {
        Node(
            EvoNormScale(axis: shape.normalized(axis: axis)),
            [self, batch, slope, sample, gamma, beta]
        ).tensor
    }
}

extension Operation {
    fileprivate func checkEvoNorm(
        _ x: TensorSpec, axis: Int, vectors: [TensorSpec], _ statistic: TensorSpec
    ) {
        let channels = checkChannels(x, axis: axis)
        checkVectors(vectors, channels: channels)
        guard statistic == TensorSpec([x.shape[0], channels], .float64) else {
            fail("expected float64 [\(x.shape[0]), \(channels)] of samples, found \(statistic)")
        }
    }
}

/// The numbers b, v, s and gamma of the reference.
private struct EvoNormPoint<T: ReferenceScalar> {
    let batch, slope, sample, gamma: [T]

    init(_ values: ArraySlice<Values<T>>) {
        let vectors = values.map(\.elements)
        (batch, slope, sample, gamma) = (vectors[0], vectors[1], vectors[2], vectors[3])
    }

    /// x / d, 1 / d and m.
    func callAsFunction(_ x: T, _ statistic: Int, _ channel: Int) -> (T, inverse: T, m: T) {
        let slanted = slope[channel] * x + sample[statistic]
        let d = Binary(.maximum).apply(batch[channel], slanted)
        let m = Binary(.exceeds).apply(slanted, batch[channel])
        return d == 0 ? (0, 0, m) : (x / d, 1 / d, m)
    }
}

/// The same of elementary operations, whose derivatives are those of the fused ones.
private struct EvoNormFormula {
    let sums: [Tensor]
    let inputGradient: Tensor

    /// - Parameter inputs: those of ``EvoNormSums``.
    init(_ inputs: [Tensor], axis: Int) {
        let (dy, x) = (inputs[0], inputs[1])
        let type = x.elementType
        func shaped(_ vector: Tensor) -> Tensor {
            var extents = [Int](repeating: 1, count: x.rank)
            extents[axis] = x.shape[axis]
            if vector.rank == 2 { extents[0] = x.shape[0] }
            return vector.cast(to: type).reshape(Shape(extents))
        }
        let (batch, slope) = (shaped(inputs[2]), shaped(inputs[3]))
        let slanted = x * slope + shaped(inputs[4])
        let d = Tensor.maximum(batch, slanted)
        let isZero = d .== 0
        let (zero, one) = (Tensor.zeros([], type), Tensor.ones([], type))
        let inverse = Tensor.select(isZero, zero, Tensor.select(isZero, one, d).reciprocal())
        let q = x * inverse
        let m = Tensor(Binary(.exceeds), slanted, batch)
        let share = dy * shaped(inputs[5]) * inverse
        let e = -(share * q)
        let axes = (1..<x.rank).filter { $0 != axis }
        sums = [dy, dy * q, e * (1 - m), e * m, e * m * x].map {
            $0.cast(to: .float64).sum(axes: axes)
        }
        inputGradient = share + e * m * slope
    }
}
