import Arrays

/// What stands around an image.
public enum EdgeMode: String, Hashable, Sendable, CaseIterable {
    case zeros
    /// The image mirrored at its outermost elements, which are not repeated.
    case reflect
    /// The outermost elements repeated.
    case replicate
    /// The image itself again.
    case circular
}

/// How an image is enlarged.
public enum Interpolation: Hashable, Sendable {
    /// The nearest element.
    case nearest
    /// Between the two nearest elements along each axis: bilinear for two axes. `alignsCorners` maps the
    /// outermost elements onto each other; otherwise elements are areas whose outer edges coincide.
    case linear(alignsCorners: Bool = false)
}

extension Tensor {
    /// The image with so many positions more in front of and behind each spatial axis; one number stands
    /// for all axes. Traps where a reflection would need more than the image has.
    public func padded(before: [Int], after: [Int], mode: EdgeMode) -> Tensor {
        let extents = spatialExtents("padding")
        let before = perAxis(before, extents.count, "paddings")
        let after = perAxis(after, extents.count, "paddings")
        precondition(
            (before + after).allSatisfy { $0 >= 0 },
            "padding: expected paddings of at least 0, found \(before) and \(after)")
        if mode == .zeros { return padded(before: [0] + before + [0], after: [0] + after + [0]) }
        return extents.indices.reduce(self) { tensor, axis in
            guard before[axis] + after[axis] > 0 else { return tensor }
            let extent = extents[axis]
            let limit = mode == .reflect ? extent - 1 : mode == .circular ? extent : Int.max
            precondition(
                extent > 0 && Swift.max(before[axis], after[axis]) <= limit,
                "\(mode) padding: \(before[axis]) and \(after[axis]) positions are more than axis "
                    + "\(axis + 1) of \(spec) can give")
            let map = AxisMap(
                "\(mode)Pad", axis: axis + 1, extent: extent,
                outputExtent: before[axis] + extent + after[axis]
            ) { output in
                let position = output - before[axis]
                let source =
                    switch mode {
                    case .reflect:
                        extent - 1 - Swift.abs(extent - 1 - Swift.abs(position))
                    case .circular: (position + extent) % extent
                    case .zeros, .replicate: Swift.min(Swift.max(position, 0), extent - 1)
                    }
                return [AxisMap.Tap(source: source, weight: 1)]
            }
            return Tensor(map, tensor)
        }
    }

    /// The image with other spatial extents; one number stands for all axes.
    public func resized(to extents: [Int], _ interpolation: Interpolation = .nearest) -> Tensor {
        let current = spatialExtents("resizing")
        let target = perAxis(extents, current.count, "extents")
        precondition(
            (current + target).allSatisfy { $0 > 0 },
            "resizing: expected positive extents, found \(spec) and \(target)")
        return current.indices.reduce(self) { tensor, axis in
            guard current[axis] != target[axis] else { return tensor }
            let name = interpolation == .nearest ? "nearest" : "linear"
            let map = AxisMap(
                "\(name)Resize", axis: axis + 1, extent: current[axis], outputExtent: target[axis]
            ) { taps(interpolation, position: $0, from: current[axis], to: target[axis]) }
            return Tensor(map, tensor)
        }
    }

    /// The image with its spatial extents multiplied.
    public func upsampled(by factor: Int, _ interpolation: Interpolation = .nearest) -> Tensor {
        resized(to: spatialExtents("upsampling").map { $0 * factor }, interpolation)
    }

    private func taps(_ interpolation: Interpolation, position: Int, from: Int, to: Int)
        -> [AxisMap.Tap]
    {
        let place: Double
        switch interpolation {
        case .nearest: return [AxisMap.Tap(source: position * from / to, weight: 1)]
        case .linear(alignsCorners: true):
            place = to == 1 ? 0 : Double(position * (from - 1)) / Double(to - 1)
        case .linear(alignsCorners: false):
            place = Swift.max(0, (Double(position) + 0.5) * Double(from) / Double(to) - 0.5)
        }
        let low = Swift.min(Int(place), from - 1)
        let share = place - Double(low)
        if share == 0 || low == from - 1 { return [AxisMap.Tap(source: low, weight: 1)] }
        return [
            AxisMap.Tap(source: low, weight: 1 - share),
            AxisMap.Tap(source: low + 1, weight: share),
        ]
    }
}
