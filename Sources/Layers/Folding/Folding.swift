import Arrays
import Graph
import Normalization
import Runtime

/// Why a model cannot be folded, as a sentence that names the layer.
public struct FoldingError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
}

/// What shows that a folded model is the same function up to rounding.
public struct FoldingCertificate: Hashable, Sendable {
    /// The names of the batch norms that were folded away.
    public let folded: [String]
    /// The names of those that stay, each with the reason.
    public let kept: [String: String]
    /// The largest difference of an output on the inputs that were tried.
    public let largestDifference: Double
    /// What rounding can explain: for each norm, 64 roundings of the larger of 1 and the largest output.
    public let roundingBound: Double
    public var isWithinBound: Bool { largestDifference <= roundingBound }
}

extension Module {
    /// Makes the batch norms that stand directly behind, or else in front of, a dense layer or a
    /// convolution (also transposed, grouped or depthwise) part of it, for inference: their scale and
    /// shift go into its weight and bias, in float64. Their places, wherever they are in the model, become
    /// ``Identity``; the layers' places get new layers. Steps that were compiled before keep what they
    /// were traced with.
    ///
    /// Throws, and changes nothing, where folding would be wrong: a norm that does not use running
    /// statistics, statistics that were never updated, a running variance near 0 (its factor would blow up
    /// what rounding left), or a difference on `inputs` beyond what rounding explains. A norm that no such
    /// layer stands beside, or whose neighbour is a convolution behind it that pads with zeros, stays.
    ///
    /// - Parameters:
    ///   - inputs: real inputs of the model, at least one, with the samples on axis 0.
    ///   - batchSize: how many inputs are tried at once.
    public func fold(verifying inputs: NDArray, batchSize: Int = 100) throws(FoldingError)
        -> FoldingCertificate
    {
        guard let count = inputs.shape.first, count > 0 else {
            throw FoldingError(description: "there are no inputs to verify folding with")
        }
        let batches = stride(from: 0, to: count, by: max(batchSize, 1)).map {
            inputs.rows($0..<min($0 + max(batchSize, 1), count))
        }
        let plan = try FoldingPlan(self, input: TensorSpec(batches[0].shape, inputs.elementType))
        guard !plan.folds.isEmpty else {
            let reasons = plan.kept.sorted { $0.key < $1.key }.map { "; \($0): \($1)" }
            throw FoldingError(
                description: "there is no batch norm to fold into a dense layer or a convolution"
                    + (reasons.first ?? ""))
        }
        let expected = outputs(batches)
        let undo = try plan.apply()
        let certificate = FoldingCertificate(plan, expected: expected, found: outputs(batches))
        guard certificate.isWithinBound else {
            undo()
            throw FoldingError(
                description:
                    "the folded model differs by \(certificate.largestDifference), rounding "
                    + "explains \(certificate.roundingBound)")
        }
        return certificate
    }

    /// Gives a new model the structure that ``fold(verifying:batchSize:)`` left, so that it can read the
    /// values of one that was folded.
    ///
    /// - Parameter input: the shape and type of some inputs, with the samples on axis 0.
    public func takeFoldedStructure(input: TensorSpec) throws(FoldingError) {
        try FoldingPlan(self, input: input).applyStructure()
    }

    private func outputs(_ batches: [NDArray]) -> [[Double]] {
        let step = Step { [self($0[0])] }
        return batches.map { step($0).outputs[0].elements() }
    }
}

extension FoldingCertificate {
    fileprivate init(_ plan: FoldingPlan, expected: [[Double]], found: [[Double]]) {
        let pairs = zip(expected.joined(), found.joined())
        // NaN is never within a bound.
        largestDifference = pairs.reduce(0) { largest, pair in
            let difference = abs(pair.0 - pair.1)
            return difference <= largest ? largest : difference.isNaN ? .infinity : difference
        }
        let largest = expected.joined().reduce(1) { max($0, abs($1)) }
        roundingBound = 64 * 0x1p-23 * Double(plan.folds.count) * largest
        folded = plan.folds.map(\.name)
        kept = plan.kept
    }
}
