import ArgumentParser
import EvenKeel
import Foundation

/// `evenkeel worked-example`
struct WorkedExample: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worked-example",
        abstract: "Compute the batch norm example of ten samples by hand's rules.",
        discussion: """
            Ten samples with two features, 1 to 20 in rows, through a training batch norm with gamma \
            2 and beta 1: the example that is often told with a variance of 33.33 that its own \
            formulas do not give.
            """)

    @Flag(help: "One JSON object on standard output.")
    var json = false

    func run() throws {
        let x = NDArray((1...20).map(Float.init), shape: [10, 2])
        let norm = BatchNorm(
            2, gammaInitializer: .constant(2), betaInitializer: .constant(1))
        let plain = BatchNorm(2, scale: false, center: false)
        let step = Step { inputs in
            let moments = inputs[0].moments()
            return [
                moments.mean, moments.variance, plain(inputs[0], Context(.training)),
                norm(inputs[0], Context(.training)),
            ]
        }
        let outputs = step(x).outputs.map { $0.elements(as: Double.self) }
        let unbiased = outputs[1].map { $0 * VarianceKind.unbiased.factor(count: 10) }
        let console = Console(isJSON: json)
        func list(_ values: [Double], _ digits: Int) -> String {
            "[" + values.map { decimal($0, digits) }.joined(separator: ", ") + "]"
        }
        console.say("x, ten samples of two features:")
        for row in 0..<10 {
            console.say("  \(list([Double(2 * row + 1), Double(2 * row + 2)], 0))")
        }
        console.say("mean of each feature          \(list(outputs[0], 0))")
        console.say("variance, divided by 10       \(list(outputs[1], 2))   (this one normalizes)")
        console.say(
            "variance, divided by 9        \(list(unbiased, 2))   (a running variance may store it)"
        )
        console.say("x_hat = (x - mean) / sqrt(variance + 1e-5), and y = 2 x_hat + 1:")
        for row in 0..<10 {
            let range = (row * 2)..<(row * 2 + 2)
            console.say(
                "  \(list(Array(outputs[2][range]), 3))   \(list(Array(outputs[3][range]), 3))")
        }
        func numbers(_ values: [Double]) -> JSONObject.Value { .list(values.map { .number($0) }) }
        console.event(
            JSONObject([
                ("mean", numbers(outputs[0])), ("variance", numbers(outputs[1])),
                ("unbiasedVariance", numbers(unbiased)), ("normalized", numbers(outputs[2])),
                ("output", numbers(outputs[3])),
            ]))
    }
}
