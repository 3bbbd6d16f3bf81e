/// The kinds of normalization that can be asked for by name, as `--norm` spells them: `batch`, `ghost=32`,
/// `group=8`, `weight` and so on.
public enum NormKind: Hashable, Sendable {
    case batch, batchRenorm
    /// Ghost batches of so many samples.
    case ghost(Int)
    case layer
    /// So many groups, or as many as still divide the channels.
    case group(Int)
    case instance, rms, filterResponse, evonormB0, evonormS0
    /// Reparametrizations of the weights instead of a layer behind them.
    case weight, spectral, standardized
    case none

    /// Whether it takes away any constant of a channel, so that a bias in front of it does nothing.
    package var centresBatch: Bool {
        switch self {
        case .batch, .batchRenorm, .ghost: true
        default: false
        }
    }

    /// Whether it scales by a gamma.
    package var hasGamma: Bool {
        switch self {
        case .weight, .spectral, .standardized, .none: false
        default: true
        }
    }

    /// Whether it brings its own activation.
    package var isActivation: Bool {
        switch self {
        case .filterResponse, .evonormB0, .evonormS0: true
        default: false
        }
    }
}

extension NormKind: RawRepresentable, CaseIterable {
    /// One of each, those with a number with an example.
    public static var allCases: [NormKind] {
        [
            .batch, .batchRenorm, .ghost(32), .layer, .group(8), .instance, .rms, .filterResponse,
            .evonormB0, .evonormS0, .weight, .spectral, .standardized, .none,
        ]
    }

    public init?(rawValue: String) {
        let parts = rawValue.split(separator: "=", omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let number = Int(parts[1]), number > 0 else { return nil }
            switch parts[0] {
            case "ghost": self = .ghost(number)
            case "group": self = .group(number)
            default: return nil
            }
            return
        }
        guard let kind = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = kind
    }

    public var rawValue: String {
        switch self {
        case .batch: "batch"
        case .batchRenorm: "batch-renorm"
        case .ghost(let size): "ghost=\(size)"
        case .layer: "layer"
        case .group(let groups): "group=\(groups)"
        case .instance: "instance"
        case .rms: "rms"
        case .filterResponse: "filter-response"
        case .evonormB0: "evonorm-b0"
        case .evonormS0: "evonorm-s0"
        case .weight: "weight"
        case .spectral: "spectral"
        case .standardized: "standardized"
        case .none: "none"
        }
    }
}

extension NormKind {
    /// The layer that a description has behind `width` outputs, nil where there is none.
    package func layer(width: Int) -> ModelDescription.Layer? {
        func fitting(_ groups: Int) -> ModelDescription.Option {
            .integer((1...max(1, min(groups, width))).last { width % $0 == 0 } ?? 1)
        }
        return switch self {
        case .batch: .init(.batchNorm)
        case .batchRenorm: .init(.batchRenorm)
        case .ghost(let size): .init(.ghostBatchNorm, ["size": .integer(size)])
        case .layer: .init(.layerNorm)
        case .group(let groups): .init(.groupNorm, ["groups": fitting(groups)])
        case .instance: .init(.instanceNorm)
        case .rms: .init(.rmsNorm)
        case .filterResponse: .init(.filterResponseNorm)
        case .evonormB0: .init(.evonormB0)
        case .evonormS0: .init(.evonormS0, ["groups": fitting(32)])
        case .weight, .spectral, .standardized, .none: nil
        }
    }

    /// What a description says of the dense layers' weights, if anything.
    package var reparametrization: String? {
        switch self {
        case .weight, .spectral, .standardized: rawValue
        default: nil
        }
    }
}
