import Arrays
import Graph
import Runtime
import TestSupport
import Testing

/// What an operation says of its sharding must hold: results over runs of rows, put together, are the
/// result over all rows.
@Suite struct ShardingTests {
    @Test(arguments: OperationCases.all)
    func runsOfRowsGiveTheWhole(_ sample: OperationCase) {
        let (leaves, outputs) = sample.traced(.float64)
        var roots = outputs
        if !sample.differentiable.isEmpty {
            let variables = sample.differentiable.map { leaves[$0] }
            // Seeds that are data, so that broadcast of a constant is not all there is to shard.
            let seeds = outputs.map { output in
                Tensor(NDArray(Philox(key: 5).normal(output.shape), shape: output.shape))
            }
            roots += pullback(of: outputs, seeds: seeds, to: variables)
        }
        let nodes = topologicalOrder(roots)
        let tensors = nodes.flatMap(\.tensors)
        let interpreter = ReferenceInterpreter<Double>(inputs: sample.inputs(.float64))
        let values = Dictionary(uniqueKeysWithValues: zip(tensors, interpreter.evaluate(tensors)))

        for node in nodes where !node.inputs.isEmpty {
            let inputs = node.inputs.map { values[$0]! }
            let expected = node.tensors.map { values[$0]! }
            for (tensor, value) in zip(node.tensors, expected) {
                #expect(value.shape == tensor.shape, "\(node.operation.name)")
            }
            switch node.operation.sharding(node.inputs.map(\.spec), node.outputs) {
            case .whole: break
            case .rows(let aligned):
                checkRows(node.operation, inputs, aligned, expected)
            case .reduction(let aligned):
                checkReduction(node.operation, inputs, aligned, expected)
            }
        }
    }

    private func checkRows(
        _ operation: some Operation, _ inputs: [Values<Double>], _ aligned: [Bool],
        _ expected: [Values<Double>]
    ) {
        // Without aligned inputs there is nothing to hand over in runs.
        guard aligned.contains(true) else { return }
        // A reshape may merge several rows into one: the fewest rows are the unit of splitting.
        let taken = zip(inputs, aligned).filter(\.1).map(\.0.shape[0])
        let units = (taken + expected.map { $0.shape[0] }).min()!
        for rows in (taken + expected.map { $0.shape[0] }) where units > 0 {
            #expect(rows % units == 0, "\(operation.name): \(rows) rows in \(units) units")
        }
        for runs in splits(of: units) {
            let parts = runs.map { run in
                operation.reference(slices(inputs, aligned, run, of: units))
            }
            for (position, whole) in expected.enumerated() {
                let elements = parts.flatMap { $0[position].elements }
                #expect(same(elements, whole.elements), "\(operation.name) over \(runs)")
                let rows = parts.reduce(0) { $0 + $1[position].shape[0] }
                #expect(rows == whole.shape[0], "\(operation.name) over \(runs)")
            }
        }
    }

    private func checkReduction(
        _ operation: some Operation, _ inputs: [Values<Double>], _ aligned: [Bool],
        _ expected: [Values<Double>]
    ) {
        let units = zip(inputs, aligned).filter(\.1).map(\.0.shape[0]).min()!
        for runs in splits(of: units) {
            let parts = runs.map { operation.reference(slices(inputs, aligned, $0, of: units)) }
            let merged = parts.dropFirst().reduce(parts[0]) { operation.merge($0, $1) }
            for (found, whole) in zip(merged, expected) {
                #expect(found.shape == whole.shape, "\(operation.name) over \(runs)")
                for (a, b) in zip(found.elements, whole.elements) {
                    #expect(
                        abs(a - b) <= 1e-12 * (1 + abs(b)), "\(operation.name) over \(runs)")
                }
            }
        }
    }

    /// Everything at once, single rows, and runs of unequal length.
    private func splits(of count: Int) -> [[Range<Int>]] {
        let cuts = [[], Array(1..<max(count, 1)), [1], [count - 1], [count / 3, count / 2]]
        return cuts.map { cuts in
            let inner = Set(cuts).filter { $0 > 0 && $0 < count }.sorted()
            let bounds = [0] + inner + [count]
            return zip(bounds, bounds.dropFirst()).map { $0..<$1 }
        }
    }

    private func slices(
        _ inputs: [Values<Double>], _ aligned: [Bool], _ run: Range<Int>, of units: Int
    ) -> [Values<Double>] {
        zip(inputs, aligned).map { input, isAligned in
            guard isAligned, units > 0 else { return input }
            let perUnit = input.shape[0] / units
            let length = input.elements.count / units
            var shape = input.shape
            shape[0] = run.count * perUnit
            return Values(
                shape: shape,
                Array(input.elements[(run.lowerBound * length)..<(run.upperBound * length)]))
        }
    }

    private func same(_ a: [Double], _ b: [Double]) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
    }
}
