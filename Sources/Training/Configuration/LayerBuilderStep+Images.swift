import Arrays
import Graph
import Layers

/// Layers of images. A layer traps on what cannot be, so all of it is checked here before one is made.
extension LayerBuilderStep {
    /// Larger numbers in a description are refused: no kernel, stride or padding is.
    private static let largestExtent = 1 << 16
    /// More elements of a sample are refused.
    private static let largestSample = 1 << 30
    /// More is refused along one axis of what pooling, padding and upsampling list for each position.
    private static let longestList = 1 << 22

    // MARK: - Convolutions

    func convolution(_ shape: inout Shape, _ parameters: inout Int) throws(ConfigurationError)
        -> Module
    {
        let window = try window(shape, "kernel")
        let inputs = shape[shape.rank - 1]
        let isDepthwise = [.depthwiseConv1D, .depthwiseConv2D, .depthwiseConv3D]
            .contains(layer.kind)
        let outputs =
            isDepthwise ? inputs * (try positive("multiplier", 1)) : try positive("outputs", nil)
        let groups = isDepthwise ? inputs : try self.groups(inputs, outputs)
        try count(&parameters, [outputs, inputs / groups] + window.size)
        let positions = try window.positions(self)
        try take(&shape, positions + [outputs])
        let initializer = try initializer("he-uniform")
        let (kernel, strides) = (PerAxis(window.size), PerAxis(window.strides))
        let (dilations, bias) = (PerAxis(window.dilations), flag("bias", true))
        let module: Module =
            switch positions.count {
            case 1:
                Conv1D(
                    inputs, outputs, kernel: kernel, strides: strides, padding: window.padding,
                    dilations: dilations, groups: groups, bias: bias, initializer: initializer)
            case 2:
                Conv2D(
                    inputs, outputs, kernel: kernel, strides: strides, padding: window.padding,
                    dilations: dilations, groups: groups, bias: bias, initializer: initializer)
            default:
                Conv3D(
                    inputs, outputs, kernel: kernel, strides: strides, padding: window.padding,
                    dilations: dilations, groups: groups, bias: bias, initializer: initializer)
            }
        return try reparametrized(module)
    }

    func transposedConvolution(_ shape: inout Shape, _ parameters: inout Int)
        throws(ConfigurationError) -> Module
    {
        let window = try window(shape, "kernel")
        let (rank, inputs) = (window.size.count, shape[shape.rank - 1])
        let outputs = try positive("outputs", nil)
        let groups = try groups(inputs, outputs)
        let extra = try extents("outputPadding", rank, least: 0, fallback: 0)
        guard zip(extra, window.strides).allSatisfy({ $0 < $1 }) else {
            throw error(
                "outputPadding: expected less than the strides \(window.strides), found \(extra)")
        }
        try count(&parameters, [inputs, outputs / groups] + window.size)
        let positions = try window.transposedPositions(extra, self)
        try take(&shape, positions + [outputs])
        let initializer = try initializer("he-uniform")
        let (kernel, strides) = (PerAxis(window.size), PerAxis(window.strides))
        let (dilations, bias) = (PerAxis(window.dilations), flag("bias", true))
        return rank == 1
            ? ConvTranspose1D(
                inputs, outputs, kernel: kernel, strides: strides, padding: window.padding,
                outputPadding: PerAxis(extra), dilations: dilations, groups: groups, bias: bias,
                initializer: initializer)
            : ConvTranspose2D(
                inputs, outputs, kernel: kernel, strides: strides, padding: window.padding,
                outputPadding: PerAxis(extra), dilations: dilations, groups: groups, bias: bias,
                initializer: initializer)
    }

    private func groups(_ inputs: Int, _ outputs: Int) throws(ConfigurationError) -> Int {
        let groups = try positive("groups", 1)
        guard inputs % groups == 0, outputs % groups == 0 else {
            throw error(
                "groups: \(groups) do not divide \(inputs) input and \(outputs) output channels")
        }
        return groups
    }

    // MARK: - Pooling, padding, upsampling

    func pooling(_ shape: inout Shape) throws(ConfigurationError) -> Module {
        let rank = try spatialRank(shape)
        try checkLists(Array(shape.dropLast()), "positions")
        let module: Module
        switch layer.kind {
        case .globalMaxPool: module = GlobalMaxPool()
        case .globalAveragePool: module = GlobalAveragePool()
        case .adaptiveMaxPool, .adaptiveAveragePool:
            let extents = PerAxis(try extents("extents", rank, least: 1, fallback: nil))
            module =
                layer.kind == .adaptiveMaxPool
                ? AdaptiveMaxPool(extents) : AdaptiveAveragePool(extents)
        default:
            let window = try window(shape, "size")
            let positions = try window.positions(self)
            try checkLists(positions, "positions")
            if layer.kind == .averagePool {
                try checkLists(zip(positions, window.size).map { $0 * $1 }, "elements of windows")
            }
            if case .sides(let sides, _) = window.padding,
                zip(sides, window.size).contains(where: { $0 >= $1 })
            {
                throw error("padding: expected less than the size \(window.size), found \(sides)")
            }
            let (size, strides) = (PerAxis(window.size), PerAxis(window.strides))
            module =
                layer.kind == .maxPool
                ? MaxPool(
                    size, strides: strides, padding: window.padding,
                    roundsUp: flag("roundsUp", false))
                : AveragePool(
                    size, strides: strides, padding: window.padding,
                    roundsUp: flag("roundsUp", false), countsPadding: flag("countsPadding", true))
        }
        try take(&shape, of: module)
        return module
    }

    func padding(_ shape: inout Shape) throws(ConfigurationError) -> Module {
        let rank = try spatialRank(shape)
        let sides = try extents("sides", rank, least: 0, fallback: 0)
        let before =
            layer.options["before"] == nil
            ? sides : try extents("before", rank, least: 0, fallback: 0)
        let after =
            layer.options["after"] == nil
            ? sides : try extents("after", rank, least: 0, fallback: 0)
        guard let mode = EdgeMode(rawValue: text("mode", "zeros")) else {
            let known = EdgeMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw error("mode: expected one of \(known), found '\(text("mode", ""))'")
        }
        for axis in 0..<rank {
            let limit = mode == .reflect ? shape[axis] - 1 : mode == .circular ? shape[axis] : .max
            guard max(before[axis], after[axis]) <= limit else {
                throw error(
                    "\(mode) padding of \(max(before[axis], after[axis])) is more than an extent of "
                        + "\(shape[axis]) can give")
            }
        }
        let spatial = (0..<rank).map { shape[$0] + before[$0] + after[$0] }
        try checkLists(spatial, "positions")
        try take(&shape, spatial + [shape[rank]])
        return ImagePadding(before: PerAxis(before), after: PerAxis(after), mode: mode)
    }

    func upsampling(_ shape: inout Shape) throws(ConfigurationError) -> Module {
        let rank = try spatialRank(shape)
        let factor = try positive("factor", 2)
        let interpolation: Interpolation
        switch text("mode", "nearest") {
        case "nearest": interpolation = .nearest
        case "linear": interpolation = .linear()
        case let other: throw error("mode: expected nearest or linear, found '\(other)'")
        }
        let spatial = shape.dropLast().map { $0 * factor }
        try checkLists(spatial, "positions")
        try take(&shape, spatial + [shape[rank]])
        return Upsample(by: factor, interpolation)
    }

    // MARK: - Residual blocks

    func residual(_ shape: inout Shape, _ parameters: inout Int) throws(ConfigurationError)
        -> Module
    {
        guard case .layers(let layers)? = layer.options["layers"] else {
            throw error("expected the layers of the branch, under 'layers'")
        }
        var (result, other) = (shape, shape)
        let branch = try Self.stack(layers, "\(position), ", &result, &parameters)
        var shortcut: Sequential?
        if case .layers(let layers)? = layer.options["shortcut"] {
            shortcut = try Self.stack(layers, "\(position), shortcut, ", &other, &parameters)
        }
        guard result == other else {
            throw error(
                "the branch gives samples of \(result), the shortcut \(other); they must be alike")
        }
        shape = result
        if flag("zeroGamma", false) {
            guard let last = branch.layers.last, let gamma = last.gammaOfNorm else {
                throw error(
                    "zeroGamma: expected a branch that ends with a normalizer that has a gamma, "
                        + "found \(layers.last?.kind.rawValue ?? "nothing")")
            }
            gamma.initializer = .zeros
        }
        return Residual(branch: branch, shortcut: shortcut)
    }

    // MARK: - Geometry

    /// A kernel or pooling window that slides over the spatial axes.
    private struct Window {
        var extents, size, strides, dilations: [Int]
        var padding: Padding

        private func reach(_ axis: Int) -> Int { dilations[axis] * (size[axis] - 1) + 1 }

        private func zeros(_ axis: Int) -> Int {
            if case .sides(let before, let after) = padding {
                before[axis] + after[axis]
            } else {
                0
            }
        }

        func positions(_ step: LayerBuilderStep) throws(ConfigurationError) -> [Int] {
            var result: [Int] = []
            for axis in extents.indices {
                if padding == .same {
                    result.append((extents[axis] + strides[axis] - 1) / strides[axis])
                    continue
                }
                let padded = extents[axis] + zeros(axis)
                guard reach(axis) <= padded else {
                    throw step.error(
                        "a window that reaches over \(reach(axis)) positions is larger than the "
                            + "padded image, which has \(padded)")
                }
                result.append((padded - reach(axis)) / strides[axis] + 1)
            }
            return result
        }

        func transposedPositions(_ extra: [Int], _ step: LayerBuilderStep)
            throws(ConfigurationError) -> [Int]
        {
            let result = extents.indices.map { axis in
                padding == .same
                    ? extents[axis] * strides[axis]
                    : (extents[axis] - 1) * strides[axis] - zeros(axis) + reach(axis) + extra[axis]
            }
            guard result.allSatisfy({ $0 > 0 }) else {
                throw step.error("the padding leaves nothing of an image of \(extents)")
            }
            return result
        }
    }

    private func window(_ shape: Shape, _ name: String) throws(ConfigurationError) -> Window {
        let rank = try spatialRank(shape)
        let size = try extents(name, rank, least: 1, fallback: nil)
        let padding: Padding
        switch layer.options["padding"] {
        case .text("same"): padding = .same
        case nil, .text("valid"): padding = .valid
        case .integers:
            let sides = try extents("padding", rank, least: 0, fallback: 0)
            padding = .sides(before: sides, after: sides)
        default: throw error("padding: expected same, valid or numbers of zeros")
        }
        let isPooling = name == "size"
        return Window(
            extents: Array(shape.dropLast()), size: size,
            strides: isPooling && layer.options["strides"] == nil
                ? size : try extents("strides", rank, least: 1, fallback: 1),
            dilations: try extents("dilations", rank, least: 1, fallback: 1), padding: padding)
    }

    /// The number of spatial axes of the samples. Throws unless the layer is for so many.
    private func spatialRank(_ shape: Shape) throws(ConfigurationError) -> Int {
        let expected: Int? =
            switch layer.kind {
            case .conv1D, .depthwiseConv1D, .convTranspose1D: 1
            case .conv2D, .depthwiseConv2D, .convTranspose2D: 2
            case .conv3D, .depthwiseConv3D: 3
            default: nil
            }
        let rank = shape.rank - 1
        guard expected.map({ $0 == rank }) ?? (1...3).contains(rank) else {
            let wanted =
                switch expected {
                case 1: "[length, channels]"
                case 2: "[height, width, channels]"
                case 3: "[depth, height, width, channels]"
                default: "one to three spatial axes and channels"
                }
            throw error(
                "expected samples of \(wanted), found \(shape); 'reshape' gives them a shape")
        }
        return rank
    }

    /// One number for each spatial axis. Throws when there is neither one nor one for each, or one is out
    /// of range.
    private func extents(_ key: String, _ rank: Int, least: Int, fallback: Int?)
        throws(ConfigurationError) -> [Int]
    {
        var values = fallback.map { [$0] } ?? []
        if case .integers(let found)? = layer.options[key] { values = found }
        let range = least...Self.largestExtent
        guard values.count == 1 || values.count == rank, values.allSatisfy(range.contains) else {
            throw error(
                "\(key): expected \(least) to \(Self.largestExtent), one number or \(rank), found "
                    + "\(values)")
        }
        return values.count == 1 ? Array(repeating: values[0], count: rank) : values
    }

    private func positive(_ key: String, _ fallback: Int?) throws(ConfigurationError) -> Int {
        var value = fallback ?? 0
        if case .integer(let found)? = layer.options[key] { value = found }
        guard (1...Self.largestExtent).contains(value) else {
            throw error("\(key): expected 1 to \(Self.largestExtent), found \(value)")
        }
        return value
    }

    /// Throws when there is too much along an axis.
    private func checkLists(_ counts: [Int], _ what: String) throws(ConfigurationError) {
        for (axis, count) in counts.enumerated() where count > Self.longestList {
            throw error(
                "expected at most \(Self.longestList) \(what) along an axis, found \(count) along "
                    + "spatial axis \(axis)")
        }
    }

    /// Makes the shape of the samples what a layer makes of it, unless that is too large.
    private func take(_ shape: inout Shape, _ extents: [Int]) throws(ConfigurationError) {
        guard checkedElementCount(extents) ?? .max <= Self.largestSample else {
            throw error(
                "samples of \(extents) have more than \(Self.largestSample) elements")
        }
        shape = Shape(extents)
    }

    private func take(_ shape: inout Shape, of module: Module) throws(ConfigurationError) {
        let result = module(Tensor.zeros(Shape([1] + shape))).shape
        try take(&shape, Array(result.dropFirst()))
    }
}
