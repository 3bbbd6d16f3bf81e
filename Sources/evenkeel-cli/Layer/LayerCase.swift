import EvenKeel

/// A layer made for the tensors of a file, with its parameters and states set from them.
struct LayerCase {
    /// What the layer does to x; the mask is for layers that take one.
    var apply: (_ x: Tensor, _ context: Context, _ mask: Tensor?) -> Tensor
    /// What is learned: the names in the files, of the value and of its gradient.
    var parameters: [(name: String, parameter: Parameter)] = []
    var states: [(name: String, state: State)] = []
    var takesMask = false
    /// The parameters' shape where x has none of what they are for, and no module is so small.
    var emptyShape: Shape?

    init(_ options: LayerOptions, _ tensors: LayerTensors) throws {
        apply = { x, _, _ in x }
        if options.kind.isReparametrization {
            try makeReparametrization(options, tensors)
        } else if options.kind.hasChannelAxis {
            let axis = try options.channelAxis(of: tensors.x.shape)
            try makeChannelLayer(options, tensors, axis: axis, channels: tensors.x.shape[axis])
        } else if options.kind == .unitNorm {
            let axis = try options.position(
                of: options.axis, option: "--axis", in: tensors.x.shape)
            use(UnitNorm(axis: axis, epsilon: options.epsilon, p: options.p))
        } else {
            let axes = try options.normalizedAxes(of: tensors.x.shape)
            let found = Shape(axes.map { tensors.x.shape[$0] })
            if found.contains(0) { emptyShape = found }
            let extents = Shape(found.map { max($0, 1) })
            use(
                options.kind == .layerNorm
                    ? LayerNorm(extents, axes: axes, epsilon: options.epsilon)
                    : RMSNorm(extents, axes: axes, epsilon: options.epsilon, center: true))
        }
        try read(tensors)
    }

    private mutating func use(_ module: Module) {
        apply = { x, context, _ in module(x, context) }
        parameters += module.namedParameters.map { ($0, $1) }
        states += module.namedStates.map { ($0, $1) }
    }

    private mutating func makeChannelLayer(
        _ options: LayerOptions, _ tensors: LayerTensors, axis: Int, channels: Int
    ) throws {
        if channels == 0 { emptyShape = [0] }
        let channels = max(channels, 1)
        let epsilon = options.epsilon
        if [.groupNorm, .evoNormS0].contains(options.kind), channels % options.groups != 0 {
            throw LayerInputError(
                "--groups: \(options.groups) groups do not divide the \(channels) channels of x")
        }
        // In inference, statistics that are given are used, however they came about.
        let isGiven = tensors.contains("running_mean") || tensors.contains("running_var")
        let average = options.average ?? (!options.isTraining && isGiven ? .pytorch() : nil)
        if case .sliding(let window)? = average?.kind, window > (1 << 22) / channels {
            throw LayerInputError(
                "--average: a window of \(window) batches of \(channels) channels is too large")
        }
        switch options.kind {
        case .batchNorm:
            let norm = BatchNorm(
                channels, axis: axis, epsilon: epsilon, average: average,
                variance: options.variance)
            use(norm)
            useMask { norm($0, $1, mask: $2) }
        case .ghostBatchNorm:
            let size = options.ghostSize ?? max(tensors.x.shape[0], 1)
            let norm = GhostBatchNorm(
                ghostSize: size, channels, axis: axis, epsilon: epsilon, average: average,
                variance: options.variance)
            use(norm)
            useMask { norm($0, $1, mask: $2) }
        case .batchRenorm:
            guard let average else {
                throw LayerInputError("--average: batch-renorm needs running statistics")
            }
            let norm = BatchRenorm(
                channels, axis: axis, epsilon: epsilon, average: average,
                variance: options.variance,
                limits: .constant(rmax: options.rmax, dmax: options.dmax))
            use(norm)
            useMask { norm($0, $1, mask: $2) }
        case .evoNormB0:
            use(
                EvoNormB0(
                    channels, axis: axis, epsilon: epsilon, average: average,
                    variance: options.variance))
        case .evoNormS0:
            use(EvoNormS0(groups: options.groups, channels, axis: axis, epsilon: epsilon))
        case .filterResponseNorm:
            use(
                FilterResponseNorm(
                    channels, axis: axis, epsilon: epsilon, thresholds: tensors.contains("tau")))
        case .groupNorm:
            use(GroupNorm(groups: options.groups, channels, axis: axis, epsilon: epsilon))
        case .instanceNorm:
            use(InstanceNorm(channels, axis: axis, epsilon: epsilon, scale: true, center: true))
        case .localResponseNorm:
            let response = options.response
            use(
                LocalResponseNorm(
                    size: response.size, alpha: response.alpha, beta: response.beta,
                    k: response.k, axis: axis))
        default: preconditionFailure("\(options.kind.rawValue) has no channel axis")
        }
    }

    private mutating func useMask(_ body: @escaping (Tensor, Context, Tensor) -> Tensor) {
        let plain = apply
        takesMask = true
        apply = { x, context, mask in mask.map { body(x, context, $0) } ?? plain(x, context, nil) }
    }

    private mutating func makeReparametrization(
        _ options: LayerOptions, _ tensors: LayerTensors
    ) throws {
        let units = tensors.x.shape[0]
        switch options.kind {
        case .weightNorm:
            let magnitude = Parameter([units], role: .scale, initializer: .ones)
            magnitude.value = WeightNorm.lengths(tensors.x).converted(to: .float32)
            parameters.append(("weight", magnitude))
            let exact = tensors.wideType == .float64 ? WeightNorm.lengths(tensors.x) : nil
            magnitude.convert(to: tensors.wideType)
            if let exact { magnitude.value = exact }
            apply = { x, _, _ in
                WeightNorm.weight(direction: x, magnitude: magnitude.tensor)
            }
        case .spectralNorm:
            let start =
                tensors.contains("state_weight_u")
                ? SpectralNorm.start(units: units) : SpectralStart(tensors.x).u
            let u = State("weight_u", start.converted(to: tensors.wideType))
            states.append(("weight_u", u))
            apply = { x, context, _ in
                let steps = context.isTraining ? 1 : 0
                let (y, next) = SpectralNorm.weight(x, u: u.tensor, iterations: steps)
                if steps > 0 { u.propose(next) }
                return y
            }
        default:
            apply = { x, _, _ in WeightStandardization.weight(x, epsilon: options.epsilon) }
        }
    }

    /// Sets parameters and states from the tensors of their names.
    private mutating func read(_ tensors: LayerTensors) throws {
        for (name, parameter) in parameters {
            parameter.convert(to: tensors.wideType)
            if let emptyShape {
                _ = try tensors.numbers(name, emptyShape)
                continue
            }
            if let value = try tensors.numbers(name, parameter.shape) {
                parameter.value = value.converted(to: tensors.wideType)
            }
        }
        guard emptyShape == nil else { return }
        for index in states.indices {
            states[index].state.widen(to: tensors.wideType)
            states[index].name = Self.fileName(states[index].name)
            let (name, state) = states[index]
            let present = state.value
            guard present.elementType.isFloatingPoint else {
                if let value = try tensors.count(name) { state.value = value }
                continue
            }
            guard let value = try tensors.numbers(name, present.shape) else { continue }
            if name == "running_var" {
                let values: [Double] = value.elements()
                if let wrong = values.first(where: { $0 < 0 }) {
                    throw LayerInputError(
                        "running_var: expected no negative number, found \(wrong)")
                }
            }
            state.value = value.converted(to: present.elementType)
        }
    }

    private static func fileName(_ name: String) -> String {
        ["running_mean", "running_var", "num_batches_tracked"].contains(name)
            ? name : "state_" + name
    }
}
