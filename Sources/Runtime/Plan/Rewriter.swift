import Graph

/// The passes that a step goes through before it is planned, in order.
struct Rewriter {
    let passes: [any Rewrite.Type]

    static var standard: Rewriter {
        Rewriter(passes: [
            ShareEqualNodes.self, FuseInputGradient.self, FuseActivationGradient.self,
            FuseActivation.self, FuseScaledGather.self, FuseSoftmaxWithLoss.self,
            TransposeWeights.self, ShareEqualNodes.self,
        ])
    }

    func rewrite(_ program: TracedStep) -> TracedStep {
        passes.reduce(program) { program, pass in
            var result = program
            let roots = GraphRewriter(pass)(program.roots)
            let checks = program.outputs.count..<(program.outputs.count + program.checks.count)
            result.outputs = Array(roots[..<checks.lowerBound])
            result.checks = zip(program.checks, roots[checks]).map {
                FinitenessCheck(label: $0.label, tensor: $1)
            }
            result.proposals = zip(program.proposals, roots[checks.upperBound...]).map {
                ($0.variable, $1)
            }
            return result
        }
    }
}
