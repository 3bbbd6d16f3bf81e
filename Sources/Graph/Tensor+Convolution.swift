import Arrays

/// What stands around an image before a kernel or a window slides over it.
public enum Padding: Hashable, Sendable {
    /// Nothing: the kernel stays inside.
    case valid
    /// As many zeros as give `ceil(extent / stride)` positions, the odd one behind, as Keras does.
    case same
    /// Zeros in front of and behind each spatial axis; one number stands for all axes.
    case sides(before: [Int], after: [Int])

    /// So many zeros on both sides of every spatial axis, or of each one as given.
    public static func symmetric(_ zeros: Int...) -> Padding {
        .sides(before: zeros, after: zeros)
    }

    /// The zeros on both sides of each axis of an image.
    func resolved(_ extents: [Int], kernel: [Int], strides: [Int], dilations: [Int])
        -> (before: [Int], after: [Int])
    {
        let none = [Int](repeating: 0, count: extents.count)
        switch self {
        case .valid: return (none, none)
        case .sides(let before, let after):
            return (
                perAxis(before, extents.count, "paddings"),
                perAxis(after, extents.count, "paddings")
            )
        case .same:
            let totals = extents.indices.map { axis in
                let positions = (extents[axis] + strides[axis] - 1) / strides[axis]
                let reach = dilations[axis] * (kernel[axis] - 1) + 1
                return max(0, (positions - 1) * strides[axis] + reach - extents[axis])
            }
            return (totals.map { $0 / 2 }, totals.map { $0 - $0 / 2 })
        }
    }
}

extension Padding: ExpressibleByIntegerLiteral {
    /// So many zeros on both sides of every spatial axis.
    public init(integerLiteral value: Int) { self = .symmetric(value) }
}

/// One number per axis from one for all of them. Traps where there is neither one nor one for each.
func perAxis(_ numbers: [Int], _ rank: Int, _ name: String) -> [Int] {
    if numbers.count == 1 { return [Int](repeating: numbers[0], count: rank) }
    precondition(
        numbers.count == rank,
        "expected one number or \(rank) for the \(name), found \(numbers)")
    return numbers
}

extension Tensor {
    /// The extents of an image's spatial axes. Traps unless there are one to three.
    func spatialExtents(_ name: String) -> [Int] {
        guard (3...5).contains(rank) else {
            preconditionFailure(
                "\(name): expected an image of [samples, 1 to 3 spatial axes, channels], found \(spec)"
            )
        }
        return Array(shape.dropFirst().dropLast())
    }

    /// Convolution over one to three spatial axes, channels last.
    ///
    /// - Parameters:
    ///   - weight: `[outputs, channels / groups, kernel extents...]`.
    ///   - strides: one number for all spatial axes, or one for each; dilations likewise.
    ///   - groups: how many groups of channels are kept apart; as many as channels is depthwise.
    /// - Returns: `[samples, positions..., outputs]`.
    public func convolution(
        _ weight: Tensor, strides: [Int] = [1], padding: Padding = .valid,
        dilations: [Int] = [1], groups: Int = 1
    ) -> Tensor {
        let extents = spatialExtents("convolution")
        precondition(
            weight.rank == rank,
            "convolution: expected a weight of rank \(rank) for \(spec), found \(weight.spec)")
        let strides = perAxis(strides, extents.count, "strides")
        let dilations = perAxis(dilations, extents.count, "dilations")
        precondition(
            strides.allSatisfy { $0 > 0 },
            "convolution: expected strides of at least 1, found \(strides)")
        let (before, after) = padding.resolved(
            extents, kernel: Array(weight.shape.dropFirst(2)), strides: strides,
            dilations: dilations)
        let geometry = ConvolutionGeometry(
            strides: strides, before: before, after: after, dilations: dilations, groups: groups)
        return Tensor(Convolution(geometry), self, weight)
    }

    /// Transposed convolution: what takes a convolution's result back to the shape of its image.
    ///
    /// - Parameters:
    ///   - weight: `[channels, outputs / groups, kernel extents...]`.
    ///   - padding: what the convolution in the other direction has; `.same` gives `extent * stride`.
    ///   - outputPadding: additional positions behind each axis, less than the stride.
    /// - Returns: `[samples, (extent - 1) * stride - padding + reach + outputPadding..., outputs]`.
    public func transposedConvolution(
        _ weight: Tensor, strides: [Int] = [1], padding: Padding = .valid,
        outputPadding: [Int] = [0], dilations: [Int] = [1], groups: Int = 1
    ) -> Tensor {
        let name = "transposed convolution"
        let extents = spatialExtents(name)
        let rank = extents.count
        precondition(
            weight.rank == self.rank,
            "\(name): expected a weight of rank \(self.rank) for \(spec), found \(weight.spec)")
        let strides = perAxis(strides, rank, "strides")
        let dilations = perAxis(dilations, rank, "dilations")
        let extra = perAxis(outputPadding, rank, "output paddings")
        let kernel = Array(weight.shape.dropFirst(2))
        precondition(
            strides.allSatisfy { $0 > 0 },
            "\(name): expected strides of at least 1, found \(strides)"
        )
        precondition(
            zip(extra, strides).allSatisfy { $0 >= 0 && $0 < $1 },
            "\(name): expected output paddings below the strides \(strides), found \(extra)")
        let (before, after) = padding.resolved(
            zip(extents, strides).map { $0 * $1 }, kernel: kernel, strides: strides,
            dilations: dilations)
        let geometry = ConvolutionGeometry(
            strides: strides, before: before, after: after, dilations: dilations, groups: groups)
        let result = (0..<rank).map { axis in
            padding == .same
                ? extents[axis] * strides[axis]
                : (extents[axis] - 1) * strides[axis] - before[axis] - after[axis]
                    + geometry.reach(kernel[axis], axis: axis) + extra[axis]
        }
        precondition(
            result.allSatisfy { $0 > 0 },
            "\(name): a padding of \(before), \(after) leaves nothing of \(spec)")
        return Tensor(ConvolutionInputGradient(geometry, extents: result), self, weight)
    }
}
