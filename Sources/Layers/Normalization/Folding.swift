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
    /// The largest difference of an output on the inputs that were tried.
    public let largestDifference: Double
    /// What rounding can explain: for each norm, 64 roundings of the larger of 1 and the largest output.
    public let roundingBound: Double
    public var isWithinBound: Bool { largestDifference <= roundingBound }
}

extension Sequential {
    /// The same model for inference without the batch norms that stand behind, or else in front of, a dense
    /// layer: their scale and shift become part of its weight and bias, in float64.
    ///
    /// Throws, and changes nothing, where folding would be wrong: a norm that does not use running
    /// statistics, statistics that were never updated, a running variance near 0 (its factor would blow up
    /// what rounding left), or a difference on `inputs` beyond what rounding explains.
    ///
    /// - Parameter inputs: real inputs of the model, at least one.
    /// - Returns: the folded model; where a norm was there is an ``Identity``. Layers that did not change
    ///   are shared with this model.
    public func folded(verifying inputs: NDArray) throws(FoldingError) -> (
        model: Sequential, certificate: FoldingCertificate
    ) {
        var layers = self.layers
        var folded: [String] = []
        for (index, layer) in layers.enumerated() {
            guard let norm = layer as? BatchNorm else { continue }
            let name = "\(index) BatchNorm"
            let behind = index > 0 ? layers[index - 1] as? Dense : nil
            let front = index + 1 < layers.count ? layers[index + 1] as? Dense : nil
            guard behind != nil || front != nil else { continue }
            let affine = try norm.affine(name)
            if let dense = behind {
                layers[index - 1] = dense.replaced(
                    affine.folded(after: dense.weightNumbers, bias: dense.biasNumbers))
            } else if let dense = front {
                layers[index + 1] = dense.replaced(
                    affine.folded(before: dense.weightNumbers, bias: dense.biasNumbers))
            }
            layers[index] = Identity()
            folded.append("\(index)")
        }
        guard !folded.isEmpty else {
            throw FoldingError(
                description: "there is no batch norm behind or in front of a dense layer to fold")
        }
        let result = Sequential(layers)
        let certificate = try result.certificate(for: self, folded, inputs)
        return (result, certificate)
    }

    private func certificate(for original: Sequential, _ folded: [String], _ inputs: NDArray)
        throws(FoldingError) -> FoldingCertificate
    {
        let found = evaluate([original(Tensor(inputs)), self(Tensor(inputs))])
        let (a, b) = (found[0].elements(as: Double.self), found[1].elements(as: Double.self))
        let differences = zip(a, b).map { abs($0 - $1) }
        let largest = a.map(abs).max() ?? 0
        let certificate = FoldingCertificate(
            folded: folded, largestDifference: differences.max() ?? 0,
            roundingBound: 64 * 0x1p-23 * Double(folded.count) * max(1, largest))
        guard differences.allSatisfy({ $0.isFinite }), certificate.isWithinBound else {
            throw FoldingError(
                description:
                    "the folded model differs by \(certificate.largestDifference), rounding "
                    + "explains \(certificate.roundingBound)")
        }
        return certificate
    }
}

extension BatchNorm {
    /// The norm as scale and shift, or why it cannot be one.
    fileprivate func affine(_ name: String) throws(FoldingError) -> ChannelAffine {
        guard let statistics, normalization != .batch else {
            throw FoldingError(
                description:
                    "\(name): normalizes by the batch, in inference too; there is nothing to fold")
        }
        guard statistics.batchCount.value.item(as: Int64.self) > 0 else {
            throw FoldingError(
                description:
                    "\(name): the running statistics were never updated; train, or recalibrate")
        }
        let variance: [Double] = statistics.runningVariance.value.elements()
        let mean: [Double] = statistics.runningMean.value.elements()
        guard (variance + mean).allSatisfy({ $0.isFinite }) else {
            throw FoldingError(description: "\(name): the running statistics are not finite")
        }
        for (channel, value) in variance.enumerated() where value < epsilon * 1e-2 || value == 0 {
            throw FoldingError(
                description:
                    "\(name): the running variance of channel \(channel) is \(value), near 0; "
                    + "folding would multiply rounding errors by "
                    + "\(1 / (value + epsilon).squareRoot())")
        }
        return ChannelAffine(
            mean: mean, variance: variance, epsilon: epsilon,
            gamma: gamma?.value.elements(), beta: beta?.value.elements())
    }
}

extension Dense {
    fileprivate var weightNumbers: [Double] { weight.value.elements() }
    fileprivate var biasNumbers: [Double]? { bias?.value.elements() }

    /// A layer of the same size with other numbers.
    fileprivate func replaced(_ numbers: (weight: [Double], bias: [Double])) -> Dense {
        let result = Dense(inputs, outputs)
        let type = weight.value.elementType
        result.convert(to: type)
        result.weight.value = NDArray(numbers.weight, shape: [outputs, inputs]).converted(to: type)
        result.bias!.value = NDArray(numbers.bias).converted(to: type)
        return result
    }
}
