/// A question, the trainings that answer it, and what is made of their numbers.
public struct Experiment: Sendable {
    /// As the command spells it.
    public let name: String
    public let title: String
    public let question: String
    /// Network, optimizer and whatever else a reader has to know.
    public let setUp: String
    /// Where the claim comes from.
    public let source: String
    /// Whether times are the result, so that configurations take turns on all threads.
    var takesTurns = false
    /// What becomes of a network of the user's.
    public internal(set) var withModel = "It takes the place of the network."
    let grid: @Sendable (LabOptions) -> Grid
    let figures: [Figure]
    let claims: [Claim]

    public static let all: [Experiment] = [
        convergence, learningRate, initialization, gradientFlow, covariateShift, batchSize,
        regularization, statistics, position, cost, normalizers,
    ]

    public static func named(_ name: String) -> Experiment? { all.first { $0.name == name } }
}

/// Something to be drawn of an experiment's results.
struct Figure: Sendable {
    let draw: @Sendable (Results) -> [Chart]
}
