import Arrays
import Foundation
import Graph
import TestSupport
import Testing

/// No operation without a sample case: whoever adds one is reminded here.
@Suite struct CoverageTests {
    @Test func everyOperationHasACase() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/Graph/Operations")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path())
        var declared: Set<String> = []
        for file in files where file.hasSuffix(".swift") {
            let source = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for match in source.matches(of: /struct (\w+): (?:Operation|OptimizerUpdate)\b/) {
                declared.insert(String(match.1))
            }
        }
        #expect(declared.count > 20)

        var covered: Set<String> = ["ConstantLeaf", "VariableLeaf"]
        for sample in OperationCases.all {
            let (leaves, outputs) = sample.traced(.float64)
            let gradients = pullback(
                of: outputs, seeds: outputs, to: sample.differentiable.map { leaves[$0] })
            for node in topologicalOrder(outputs + gradients) {
                covered.insert("\(type(of: node.operation))")
            }
        }
        #expect(declared.subtracting(covered).sorted() == [])
    }
}
