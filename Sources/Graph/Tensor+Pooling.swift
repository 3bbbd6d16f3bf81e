import Arrays

/// The windows along one spatial axis, with the positions that padding adds.
private struct AxisWindows {
    /// The window of each output, of which a part may lie in the padding.
    var windows: [Range<Int>]
    var extent: Int

    /// The parts inside the image.
    var clipped: [Range<Int>] { windows.map { $0.clamped(to: 0..<extent) } }

    /// Windows that slide.
    init(
        _ name: String, extent: Int, size: Int, stride: Int, before: Int, after: Int,
        roundsUp: Bool
    ) {
        precondition(
            before < size && after < size,
            "\(name): a padding of \(max(before, after)) is not smaller than the window, \(size)")
        precondition(
            size <= extent + before + after,
            "\(name): a window of \(size) is larger than the padded image, which has "
                + "\(extent + before + after)")
        let room = extent + before + after - size
        var count = (room + (roundsUp ? stride - 1 : 0)) / stride + 1
        // The last window must begin before the image ends.
        while (count - 1) * stride >= extent + before { count -= 1 }
        self.extent = extent
        windows = (0..<count).map { position in
            let start = position * stride - before
            return start..<min(start + size, max(extent + after, start + 1))
        }
    }

    /// Windows of almost equal size that cover the axis.
    init(_ name: String, extent: Int, outputs: Int) {
        precondition(
            outputs > 0 && extent > 0,
            "\(name): expected positive extents, found \(extent) and an output of \(outputs)")
        self.extent = extent
        windows = (0..<outputs).map {
            ($0 * extent / outputs)..<((($0 + 1) * extent + outputs - 1) / outputs)
        }
    }
}

extension Tensor {
    /// The largest element of each window, channels last.
    ///
    /// - Parameters:
    ///   - size: the window's extents: one number for all spatial axes, or one for each.
    ///   - strides: the window's extents where nil.
    ///   - padding: positions around the image that never win.
    ///   - roundsUp: whether a last window that reaches beyond the padding counts.
    public func maxPooled(
        _ size: [Int], strides: [Int]? = nil, padding: Padding = .valid, roundsUp: Bool = false
    ) -> Tensor {
        let axes = sliding("max pooling", size, strides, padding, roundsUp)
        return Tensor(MaxPool(PoolWindows(axes.map(\.clipped))), self)
    }

    /// The mean of each window, channels last.
    ///
    /// - Parameter countsPadding: whether the zeros of the padding count as elements (as in PyTorch), or
    ///   the mean is over the elements of the image alone (as in Keras).
    public func averagePooled(
        _ size: [Int], strides: [Int]? = nil, padding: Padding = .valid, roundsUp: Bool = false,
        countsPadding: Bool = true
    ) -> Tensor {
        averaged(sliding("average pooling", size, strides, padding, roundsUp), countsPadding)
    }

    /// Max pooling to given spatial extents, in windows of almost equal size.
    public func adaptiveMaxPooled(to extents: [Int]) -> Tensor {
        let axes = adaptive("adaptive max pooling", extents)
        return Tensor(MaxPool(PoolWindows(axes.map(\.clipped))), self)
    }

    /// Average pooling to given spatial extents, in windows of almost equal size.
    public func adaptiveAveragePooled(to extents: [Int]) -> Tensor {
        averaged(adaptive("adaptive average pooling", extents), false)
    }

    /// The mean over all spatial axes: `[samples, channels]`.
    public func globalAveragePooled() -> Tensor {
        adaptiveAveragePooled(to: [1]).reshape([shape[0], shape[rank - 1]])
    }

    /// The largest element over all spatial axes: `[samples, channels]`.
    public func globalMaxPooled() -> Tensor {
        adaptiveMaxPooled(to: [1]).reshape([shape[0], shape[rank - 1]])
    }

    private func sliding(
        _ name: String, _ size: [Int], _ strides: [Int]?, _ padding: Padding, _ roundsUp: Bool
    ) -> [AxisWindows] {
        let extents = spatialExtents(name)
        let size = perAxis(size, extents.count, "window's extents")
        let strides = perAxis(strides ?? size, extents.count, "strides")
        precondition(
            (size + strides).allSatisfy { $0 > 0 },
            "\(name): expected positive windows and strides, found \(size) and \(strides)")
        let ones = [Int](repeating: 1, count: extents.count)
        let (before, after) = padding.resolved(
            extents, kernel: size, strides: strides, dilations: ones)
        precondition(
            (before + after).allSatisfy { $0 >= 0 },
            "\(name): expected paddings of at least 0, found \(before) and \(after)")
        return extents.indices.map {
            AxisWindows(
                name, extent: extents[$0], size: size[$0], stride: strides[$0],
                before: before[$0], after: after[$0], roundsUp: roundsUp)
        }
    }

    private func adaptive(_ name: String, _ outputs: [Int]) -> [AxisWindows] {
        let extents = spatialExtents(name)
        let outputs = perAxis(outputs, extents.count, "extents")
        return zip(extents, outputs).map { AxisWindows(name, extent: $0, outputs: $1) }
    }

    /// The mean over boxes is a mean along one axis after the other.
    private func averaged(_ axes: [AxisWindows], _ countsPadding: Bool) -> Tensor {
        axes.enumerated().reduce(self) { tensor, entry in
            let (axis, windows) = (entry.offset + 1, entry.element)
            let all = Array(zip(windows.windows, windows.clipped))
            let map = AxisMap(
                "averagePool", axis: axis, extent: windows.extent, outputExtent: all.count
            ) { position in
                let (window, inside) = all[position]
                let weight = 1 / Double(countsPadding ? window.count : inside.count)
                return inside.map { AxisMap.Tap(source: $0, weight: weight) }
            }
            return Tensor(map, tensor)
        }
    }
}
