import ArgumentParser
import EvenKeel

/// The options of `evenkeel layer`, checked.
struct LayerOptions {
    let kind: LayerCommandKind
    let isTraining: Bool
    let axis: Int
    let axes: [Int]
    let epsilon: Double
    let groups: Int
    let ghostSize: Int?
    /// Nil keeps no running statistics.
    let average: RunningAverage?
    let variance: VarianceKind
    /// The norm of unit-norm.
    let p: Int
    let rmax: Double
    let dmax: Double
    let response: (size: Int, alpha: Double, beta: Double, k: Double)
    let threads: Int?
    let backend: Backend

    /// More threads than this bring nothing and cost memory.
    private static let maximumThreads = 256

    init(_ command: LayerCommand) throws {
        func check(_ name: String, atLeast least: Int, _ value: Int?) throws {
            if let value, value < least {
                throw LayerInputError("\(name): expected at least \(least), found \(value)")
            }
        }
        func check(
            _ name: String, atLeast least: Double, _ value: Double, isFinite: Bool = false
        ) throws {
            guard value >= least, value.isFinite || !isFinite else {
                throw LayerInputError(
                    "\(name): expected a \(isFinite ? "finite " : "")number of at least \(least), "
                        + "found \(value)")
            }
        }
        try check("--groups", atLeast: 1, command.groups)
        try check("--ghost-size", atLeast: 1, command.ghostSize)
        try check("--size", atLeast: 1, command.size)
        try check("--threads", atLeast: 1, command.threads)
        try check("--epsilon", atLeast: 0, command.epsilon, isFinite: true)
        guard command.p == 1 || command.p == 2 else {
            throw LayerInputError("--p: expected 1 or 2, found \(command.p)")
        }
        try check("--rmax", atLeast: 1, command.rmax)
        try check("--dmax", atLeast: 0, command.dmax)
        for (name, value) in [
            ("--alpha", command.alpha), ("--beta", command.beta), ("--k", command.k),
        ] where !value.isFinite {
            throw LayerInputError("\(name): expected a finite number, found \(value)")
        }
        kind = command.kind
        isTraining = command.mode == .training
        axis = command.axis
        axes = command.axes
        epsilon = command.epsilon
        groups = command.groups
        ghostSize = command.ghostSize
        average = try Self.parse(average: command.average)
        variance = command.variance == .unbiased ? .unbiased : .biased
        p = command.p
        rmax = command.rmax
        dmax = command.dmax
        response = (command.size, command.alpha, command.beta, command.k)
        threads = command.threads.map { min($0, Self.maximumThreads) }
        backend = command.backend == .fast ? .fast : .reference
    }

    private static func parse(average text: String) throws -> RunningAverage? {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count > 1 ? String(parts[1]) : nil) {
        case ("none", nil): return nil
        case ("cumulative", nil): return .cumulative
        case ("exponential", let value?):
            guard let weight = Double(value) else { break }
            guard weight >= 0, weight <= 1 else {
                throw LayerInputError(
                    "--average: the weight of the new batch must be in 0...1, found \(value)")
            }
            return .exponential(weight: weight)
        case ("window", let value?):
            guard let window = Int(value) else { break }
            guard window >= 1 else {
                throw LayerInputError("--average: a window must be at least 1, found \(value)")
            }
            return .sliding(window: window)
        default: break
        }
        throw ValidationError(
            "--average: expected exponential=W, cumulative, window=N or none, found '\(text)'")
    }

    /// An axis counted from the front, or an error that names the option.
    func position(of axis: Int, option: String, in shape: Shape) throws -> Int {
        guard axis >= -shape.rank, axis < shape.rank else {
            throw LayerInputError(
                "\(option): axis \(axis) is out of range for x of shape \(shape)")
        }
        return axis < 0 ? axis + shape.rank : axis
    }

    /// The channel axis of x.
    func channelAxis(of shape: Shape) throws -> Int {
        let position = try position(of: axis, option: "--axis", in: shape)
        guard shape.rank >= 2, position > 0 else {
            throw LayerInputError(
                "--axis: axis 0 is the samples', it cannot be the channel axis; x has the shape "
                    + "\(shape)")
        }
        return position
    }

    /// The axes that layer norm and RMS norm normalize, ascending.
    func normalizedAxes(of shape: Shape) throws -> [Int] {
        let positions = try axes.map { try position(of: $0, option: "--axes", in: shape) }
        guard !positions.isEmpty, Set(positions).count == positions.count else {
            throw LayerInputError(
                "--axes: expected distinct axes, found \(axes.map(String.init).joined(separator: ","))"
            )
        }
        return positions.sorted()
    }
}
