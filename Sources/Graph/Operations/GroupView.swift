import Arrays

/// A tensor seen as [rows, positions, channels, inner] around its channel axis, with adjacent channels in
/// groups: where the statistics of layer, group and instance norm live, one for each row and group.
public struct GroupView: Hashable, Sendable {
    /// The extent of axis 0: samples.
    public let rows: Int
    public let positions: Int
    public let channels: Int
    public let inner: Int
    public let groups: Int

    public init(_ shape: Shape, axis: Int, groups: Int) {
        rows = shape[0]
        positions = shape[1..<axis].reduce(1, *)
        channels = shape[axis]
        inner = shape[(axis + 1)...].reduce(1, *)
        self.groups = groups
    }

    public var channelsPerGroup: Int { channels / groups }
    /// How many values share a statistic.
    public var valuesPerGroup: Int { positions * channelsPerGroup * inner }
    public var elementsPerRow: Int { positions * channels * inner }

    /// Visits every element with its offset, its place among the statistics `[rows, groups]`, and its
    /// channel.
    func forEach(_ body: (_ offset: Int, _ statistic: Int, _ channel: Int) -> Void) {
        forEach(rows: rows, body)
    }

    /// The same for the first so many rows.
    @inlinable
    public func forEach(
        rows: Int, _ body: (_ offset: Int, _ statistic: Int, _ channel: Int) -> Void
    ) {
        var offset = 0
        for row in 0..<rows {
            for _ in 0..<positions {
                for channel in 0..<channels {
                    let statistic = row * groups + channel / channelsPerGroup
                    for _ in 0..<inner {
                        body(offset, statistic, channel)
                        offset += 1
                    }
                }
            }
        }
    }
}

/// Which vectors an operation of this family takes after its leading inputs: four with one value per row
/// and group, `[rows, groups]`, and two with one per channel, `[channels]`. All are float64.
public struct GroupParts: Hashable, Sendable {
    /// mean, and the rest that its rounding left
    public var hasMean = false
    public var hasLow = false
    public var hasScale = false
    public var hasShift = false
    public var hasGamma = false
    public var hasBeta = false

    public init(
        mean: Bool = false, low: Bool = false, scale: Bool = false, shift: Bool = false,
        gamma: Bool = false, beta: Bool = false
    ) {
        (hasMean, hasLow, hasScale, hasShift) = (mean, low, scale, shift)
        (hasGamma, hasBeta) = (gamma, beta)
    }

    /// The positions of the parts among the inputs, given how many inputs come before them.
    public func positions(after leading: Int) -> Positions {
        var next = leading
        func take(_ present: Bool) -> Int? {
            guard present else { return nil }
            defer { next += 1 }
            return next
        }
        return Positions(
            mean: take(hasMean), low: take(hasLow), scale: take(hasScale), shift: take(hasShift),
            gamma: take(hasGamma), beta: take(hasBeta))
    }

    public struct Positions {
        public let mean, low, scale, shift, gamma, beta: Int?
        var statistics: [Int] { [mean, low, scale, shift].compactMap { $0 } }
        var vectors: [Int] { [gamma, beta].compactMap { $0 } }
    }
}

/// The parts of a call as tensors.
struct GroupTensors {
    var mean, low, scale, shift, gamma, beta: Tensor?

    init(
        mean: Tensor? = nil, low: Tensor? = nil, scale: Tensor? = nil, shift: Tensor? = nil,
        gamma: Tensor? = nil, beta: Tensor? = nil
    ) {
        (self.mean, self.low, self.scale, self.shift) = (mean, low, scale, shift)
        (self.gamma, self.beta) = (gamma, beta)
    }

    init(_ inputs: [Tensor], _ positions: GroupParts.Positions) {
        func input(_ position: Int?) -> Tensor? { position.map { inputs[$0] } }
        self.init(
            mean: input(positions.mean), low: input(positions.low), scale: input(positions.scale),
            shift: input(positions.shift), gamma: input(positions.gamma),
            beta: input(positions.beta))
    }

    var parts: GroupParts {
        GroupParts(
            mean: mean != nil, low: low != nil, scale: scale != nil, shift: shift != nil,
            gamma: gamma != nil, beta: beta != nil)
    }

    var inputs: [Tensor] { [mean, low, scale, shift, gamma, beta].compactMap { $0 } }
}

/// The parts of a call as plain arrays.
struct GroupNumbers<T: ReferenceScalar> {
    let mean, low, scale, shift, gamma, beta: [T]?

    init(_ inputs: [Values<T>], _ positions: GroupParts.Positions) {
        func numbers(_ position: Int?) -> [T]? { position.map { inputs[$0].elements } }
        (mean, low) = (numbers(positions.mean), numbers(positions.low))
        (scale, shift) = (numbers(positions.scale), numbers(positions.shift))
        (gamma, beta) = (numbers(positions.gamma), numbers(positions.beta))
    }

    func centred(_ x: T, _ statistic: Int) -> T {
        (x - (mean?[statistic] ?? 0)) - (low?[statistic] ?? 0)
    }

    /// (x - mean - low) * scale + shift
    func scaled(_ x: T, _ statistic: Int) -> T {
        centred(x, statistic) * (scale?[statistic] ?? 1) + (shift?[statistic] ?? 0)
    }
}

extension Operation {
    /// Checks a floating-point tensor, its channel axis, and that groups divide the channels.
    func checkGroups(_ x: TensorSpec, axis: Int, groups: Int) {
        let channels = checkChannels(x, axis: axis)
        guard groups > 0, channels % groups == 0 else {
            fail("\(groups) groups do not divide the \(channels) channels of \(x)")
        }
    }

    func checkParts(
        _ inputs: [TensorSpec], _ positions: GroupParts.Positions, x: TensorSpec, axis: Int,
        groups: Int
    ) {
        let statistic = TensorSpec([x.shape[0], groups], .float64)
        for position in positions.statistics where inputs[position] != statistic {
            fail("expected one value per row and group, \(statistic), found \(inputs[position])")
        }
        checkVectors(positions.vectors.map { inputs[$0] }, channels: x.shape[axis])
    }
}
