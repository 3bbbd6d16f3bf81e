import Graph

/// The passes that a step goes through before it is planned, in order.
package struct Rewriter {
    let passes: [any Rewrite.Type]

    package static var standard: Rewriter {
        Rewriter(passes: [
            RemoveStopGradient.self, BroadcastOuterProduct.self, ShareEqualNodes.self,
            FuseInputGradient.self, FuseGroupInputGradient.self, FuseEvoNormGradient.self,
            ReadActivationOutput.self,
            FuseActivationGradient.self, FuseActivation.self, FuseScaledGather.self,
            FuseSoftmaxWithLoss.self, TransposeWeights.self, PackConvolutionWeights.self,
            TakeGradientByChannels.self, ShareEqualNodes.self,
        ])
    }

    /// What comes after those for a step whose variables are constants: with the fusions that take inputs
    /// for finite, and without.
    static func inference(fusesOutputs: Bool) -> Rewriter {
        Rewriter(passes: (fusesOutputs ? [FuseConvolutionOutput.self] : []) + [SplitRows.self])
    }

    package func rewrite(_ program: TracedStep) -> TracedStep {
        let fused = passes.reduce(program) { program, pass in
            program.mappingRoots(GraphRewriter(pass).callAsFunction)
        }
        return Recomputation.apply(to: fused)
    }
}

extension TracedStep {
    /// The same step with other tensors in the places of everything it must compute.
    func mappingRoots(_ transform: ([Tensor]) -> [Tensor]) -> TracedStep {
        var result = self
        let roots = transform(roots)
        let checked = outputs.count..<(outputs.count + checks.count)
        result.outputs = Array(roots[..<checked.lowerBound])
        result.checks = zip(checks, roots[checked]).map {
            FinitenessCheck(label: $0.label, tensor: $1)
        }
        result.proposals = zip(proposals, roots[checked.upperBound...]).map { ($0.variable, $1) }
        return result
    }
}
