import Arrays

/// What brings each channel of a data set to mean 0 and standard deviation 1.
public struct ChannelNormalization: Hashable, Sendable {
    /// Of the features after `scale` and `shift`, one number for each channel.
    public let mean: [Double]
    /// The biased standard deviation, all positive.
    public let deviation: [Double]

    /// Traps unless there are as many deviations as means, all positive.
    public init(mean: [Double], deviation: [Double]) {
        precondition(
            mean.count == deviation.count && deviation.allSatisfy { $0 > 0 },
            "expected a positive deviation for each of \(mean.count) means, found \(deviation)")
        self.mean = mean
        self.deviation = deviation
    }

    /// The statistics of all samples of a data set; the last axis holds the channels. For bytes the
    /// sums are whole numbers, without any rounding. A channel that is the same everywhere gets a
    /// deviation of 1.
    ///
    /// Throws when there is no sample or no channel axis.
    public init(of data: Dataset) throws(DatasetError) {
        let shape = data.features.shape
        guard shape.rank >= 2, shape.elementCount > 0 else {
            throw .inconsistent(
                "the mean of each channel needs features [samples, ..., channels], found \(shape)")
        }
        let channels = shape[shape.rank - 1]
        let count = Double(shape.elementCount / channels)
        var (means, variances) = ([Double](), [Double]())
        if data.features.elementType == .uint8 {
            var counts = [Int](repeating: 0, count: channels * 256)
            data.features.withElements(UInt8.self) { bytes in
                var channel = 0
                for byte in bytes {
                    counts[channel << 8 | Int(byte)] += 1
                    channel = channel + 1 == channels ? 0 : channel + 1
                }
            }
            for channel in 0..<channels {
                let mean =
                    Double((0..<256).reduce(0) { $0 + $1 * counts[channel << 8 | $1] }) / count
                means.append(mean)
                variances.append(
                    (0..<256).reduce(0.0) {
                        let distance = Double($1) - mean
                        return $0 + distance * distance * Double(counts[channel << 8 | $1])
                    } / count)
            }
        } else {
            let values = data.features.elements(as: Double.self)
            for channel in 0..<channels {
                let places = stride(from: channel, to: values.count, by: channels)
                let mean = places.reduce(0.0) { $0 + values[$1] } / count
                means.append(mean)
                variances.append(
                    places.reduce(0.0) {
                        $0 + (values[$1] - mean) * (values[$1] - mean)
                    } / count)
            }
        }
        let (scale, shift) = (Double(data.scale), Double(data.shift))
        self.init(
            mean: means.map { $0 * scale + shift },
            deviation: variances.map { variance in
                let deviation = (variance * scale * scale).squareRoot()
                return deviation > 0 ? deviation : 1
            })
    }
}

extension Dataset {
    /// The same data, whose inputs to a model are brought to mean 0 and deviation 1 inside the step.
    /// Give training and test parts the statistics of the training part. Throws when the number of
    /// channels, the extent of the last axis, is another one.
    public func normalized(by normalization: ChannelNormalization) throws(DatasetError) -> Dataset {
        guard features.shape.rank >= 2, features.shape.last == normalization.mean.count else {
            throw .inconsistent(
                "expected features of \(normalization.mean.count) channels on the last axis, found "
                    + "the shape \(features.shape)")
        }
        var result = self
        result.normalization = normalization
        return result
    }
}
