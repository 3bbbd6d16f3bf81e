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
    let takesTurns: Bool
    /// What becomes of a network of the user's.
    public let withModel: String
    package let grid: @Sendable (LabOptions) -> Grid
    package let figures: [Figure]
    package let claims: [Claim]

    package init(
        name: String, title: String, question: String, setUp: String, source: String,
        takesTurns: Bool = false, withModel: String = "It takes the place of the network.",
        grid: @escaping @Sendable (LabOptions) -> Grid, figures: [Figure], claims: [Claim]
    ) {
        (self.name, self.title, self.question) = (name, title, question)
        (self.setUp, self.source, self.takesTurns) = (setUp, source, takesTurns)
        (self.withModel, self.grid) = (withModel, grid)
        (self.figures, self.claims) = (figures, claims)
    }

    public static let all: [Experiment] = [
        convergence, learningRate, initialization, gradientFlow, covariateShift, batchSize,
        regularization, statistics, position, cost, normalizers,
    ]

    public static func named(_ name: String) -> Experiment? { all.first { $0.name == name } }
}

/// Something to be drawn of an experiment's results.
package struct Figure: Sendable {
    package let draw: @Sendable (Results) -> [Chart]
}
