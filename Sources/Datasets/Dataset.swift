import Arrays

/// Samples with their answers, in memory.
///
/// `features` has the samples on axis 0 and stays in the type of its file: images remain bytes, a
/// quarter of the memory of floats, and a training step gathers the rows of its batch and computes
/// `scale * value + shift` from them.
public struct Dataset: Sendable {
    /// What a model should answer.
    public enum Answers: Sendable {
        /// A class per sample: Int32 `[samples]`, each in `0..<classCount`.
        case labels(NDArray, classCount: Int)
        /// Numbers per sample: Float or Double `[samples, ...]`.
        case targets(NDArray)
    }

    /// `[samples, ...]`, of any type. Waits until all samples are there, where they are decoded in the
    /// background.
    public var features: NDArray {
        loader?.requireAll()
        return table
    }
    /// The memory of the features, in which samples that were not required may not be there yet.
    package let table: NDArray
    /// What decodes samples in the background; nil where all are there.
    let loader: SampleLoader?
    public let answers: Answers
    /// What a feature is multiplied by inside the step; 1/255 for images.
    public let scale: Float
    /// What is added then.
    public let shift: Float
    /// What the classes are called, if anyone said so.
    public let classNames: [String]?
    /// What each channel is normalized by after that, if anything.
    public internal(set) var normalization: ChannelNormalization?

    private init(
        features: NDArray, answers: Answers, scale: Float, shift: Float, classNames: [String]?,
        loader: SampleLoader? = nil
    ) {
        table = features
        self.loader = loader
        self.answers = answers
        self.scale = scale
        self.shift = shift
        self.classNames = classNames
    }

    /// Samples with a class each.
    ///
    /// - Parameters:
    ///   - features: `[samples, ...]`.
    ///   - labels: `[samples]`, of an integer type.
    ///   - classCount: How many classes there are; by default as many as names, or one more than
    ///     the largest label.
    ///
    /// Throws when the counts differ or a label is not in `0..<classCount`.
    public init(
        features: NDArray, labels: NDArray, classCount: Int? = nil, classNames: [String]? = nil,
        scale: Float = 1, shift: Float = 0
    ) throws(DatasetError) {
        try Self.checkCounts(features, labels, "labels")
        guard labels.shape.rank == 1, !labels.elementType.isFloatingPoint else {
            throw .inconsistent(
                "labels must be integers of shape [samples], found \(labels.elementType) of shape "
                    + "\(labels.shape)")
        }
        let values = labels.elements(as: Int64.self)
        let count = classCount ?? classNames?.count ?? Int(clamping: (values.max() ?? 0) &+ 1)
        if let classNames, classNames.count != count {
            throw .inconsistent("\(count) classes need \(count) names, found \(classNames.count)")
        }
        guard count > 0, count <= Int32.max else {
            throw .inconsistent(
                "the number of classes must lie in 1...\(Int32.max), found \(count)")
        }
        if let index = values.firstIndex(where: { $0 < 0 || $0 >= count }) {
            throw .inconsistent(
                "labels must lie in 0..<\(count), found \(values[index]) for sample \(index)")
        }
        self.init(
            features: features,
            answers: .labels(labels.converted(to: .int32), classCount: count),
            scale: scale, shift: shift, classNames: classNames)
    }

    /// Samples with numbers to predict.
    ///
    /// - Parameters:
    ///   - features: `[samples, ...]`.
    ///   - targets: `[samples, ...]`; integers become Float.
    ///
    /// Throws when the counts differ.
    public init(features: NDArray, targets: NDArray, scale: Float = 1, shift: Float = 0)
        throws(DatasetError)
    {
        try Self.checkCounts(features, targets, "targets")
        self.init(
            features: features,
            answers: .targets(
                targets.elementType.isFloatingPoint ? targets : targets.converted(to: .float32)),
            scale: scale, shift: shift, classNames: nil)
    }

    private static func checkCounts(_ features: NDArray, _ answers: NDArray, _ name: String)
        throws(DatasetError)
    {
        guard features.shape.rank > 0, answers.shape.rank > 0, features.shape[0] == answers.shape[0]
        else {
            throw .inconsistent(
                "features of shape \(features.shape) and \(name) of shape \(answers.shape) must "
                    + "have the same number of samples on axis 0")
        }
        guard features.shape[0] <= Int32.max else {
            throw .inconsistent("at most \(Int32.max) samples, found \(features.shape[0])")
        }
    }

    /// The number of samples.
    public var count: Int { table.shape[0] }

    /// The shape of one sample's features.
    public var featureShape: Shape { Shape(Array(table.shape.dropFirst())) }

    /// The classes, Int32 `[samples]`; nil for targets.
    public var labels: NDArray? {
        if case .labels(let labels, _) = answers { labels } else { nil }
    }

    /// The numbers to predict, `[samples, ...]`; nil for labels.
    public var targets: NDArray? {
        if case .targets(let targets) = answers { targets } else { nil }
    }

    /// The number of classes; nil for targets.
    public var classCount: Int? {
        if case .labels(_, let classCount) = answers { classCount } else { nil }
    }
}

// MARK: - Parts

extension Dataset {
    /// The samples at `indices`, in that order; an index may appear twice. Traps when one is out of
    /// range.
    public func subset(_ indices: some Collection<Int>) -> Dataset {
        replacing(features: features.gatheringRows(indices)) { $0.gatheringRows(indices) }
    }

    /// The samples of a range. Traps when it is out of range.
    public func subset(_ range: Range<Int>) -> Dataset {
        replacing(features: features.rows(range)) { $0.rows(range) }
    }

    /// Two parts that share no sample, the second with `fraction` of them (rounded).
    ///
    /// Which sample goes where depends on `seed` alone; within a part the order is kept.
    public func split(fraction: Double, seed: UInt64) -> (Dataset, Dataset) {
        precondition(
            fraction >= 0 && fraction <= 1, "a fraction must lie in 0...1, found \(fraction)")
        let shuffled = EpochOrder(count: count, seed: seed).indices(epoch: 0).map(Int.init)
        let cut = count - Int((Double(count) * fraction).rounded())
        return (subset(shuffled[..<cut].sorted()), subset(shuffled[cut...].sorted()))
    }

    func withLoader(_ loader: SampleLoader) -> Dataset {
        replacing(features: table, loader: loader) { $0 }
    }

    /// The same samples, each as one row of numbers: features `[samples, values]`.
    public func flattened() -> Dataset {
        var result = replacing(
            features: table.reshaped([count, featureShape.elementCount]), loader: loader
        ) { $0 }
        if let normalization, let channels = featureShape.last, channels > 0 {
            let pixels = featureShape.elementCount / channels
            func repeated(_ values: [Double]) -> [Double] {
                (0..<pixels).flatMap { _ in values }
            }
            result.normalization = ChannelNormalization(
                mean: repeated(normalization.mean), deviation: repeated(normalization.deviation))
        }
        return result
    }

    private func replacing(
        features: NDArray, loader: SampleLoader? = nil, _ change: (NDArray) -> NDArray
    ) -> Dataset {
        let answers: Answers =
            switch self.answers {
            case .labels(let labels, let classCount):
                .labels(change(labels), classCount: classCount)
            case .targets(let targets): .targets(change(targets))
            }
        var result = Dataset(
            features: features, answers: answers, scale: scale, shift: shift,
            classNames: classNames, loader: loader)
        result.normalization = normalization
        return result
    }
}

extension NDArray {
    /// The rows of the first axis at `indices`.
    package func gatheringRows(_ indices: some Collection<Int>) -> NDArray {
        let rowBytes = shape.dropFirst().reduce(elementType.byteCount, *)
        let count = shape[0]
        var result = NDArray(zeros: Shape([indices.count] + shape.dropFirst()), elementType)
        withUnsafeBytes { source in
            result.withUnsafeMutableBytes { target in
                for (row, index) in indices.enumerated() {
                    precondition(
                        index >= 0 && index < count,
                        "sample \(index) is out of range for \(count) samples")
                    UnsafeMutableRawBufferPointer(
                        rebasing: target[(row * rowBytes)..<((row + 1) * rowBytes)]
                    ).copyMemory(
                        from: UnsafeRawBufferPointer(
                            rebasing: source[(index * rowBytes)..<((index + 1) * rowBytes)]))
                }
            }
        }
        return result
    }
}
