import Arrays
import Graph
import Layers
import Models
import Testing
import Training

import Runtime

/// Serial work that nothing waits for runs beside a phase's shards; the rest at the end of a phase.
@Suite struct SerialWorkTests {
    /// Steps that update variables in place, some of which are read by serial work.
    private static func schedules() -> [Runtime.Schedule] {
        let optimizers: [Optimizer] = [
            Adam(learningRate: 0.01), SGD(learningRate: 0.01, momentum: 0.9, nesterov: true),
        ]
        return optimizers.flatMap { optimizer in
            [Normalizer.batch(), .instance, .group(4), .none].map { normalizer in
                let model = ResNet.small(
                    depth: 8, channels: 1, classes: 10, width: 8, normalizer: normalizer)
                model.initialize(seed: 1)
                let program = TracedStep(
                    inputs: [TensorSpec([32, 12, 12, 1], .float32), TensorSpec([32], .int32)]
                ) { inputs in
                    let loss = model(inputs[0], Context(.training)).crossEntropy(inputs[1]).mean()
                    optimizer.minimize(loss, model)
                    return [loss]
                }
                let rewritten = Rewriter.standard.rewrite(program)
                return Runtime.Schedule(rewritten.separatingResults())
            }
        }
    }

    private static func isBeside(_ entry: Runtime.Schedule.Entry) -> Bool {
        entry.mode == .serial && entry.time >= 0 && entry.time % 2 == 0
    }

    @Test func waitsForItsInputsAndNobodyForIt() {
        for schedule in Self.schedules() {
            var besides = 0
            for node in schedule.nodes where schedule[node].mode != .alias {
                for input in node.inputs {
                    let maker = schedule.base(input).node
                    guard schedule[maker].mode != .leaf else { continue }
                    let (made, read) = (schedule[maker], schedule[node])
                    if Self.isBeside(read) {
                        // By the shards of earlier phases, or before it by the same worker.
                        #expect(
                            made.time < read.time || Self.isBeside(made) && made.time == read.time)
                    } else if Self.isBeside(made) {
                        #expect(read.time > made.time)
                    }
                }
                if Self.isBeside(schedule[node]) { besides += 1 }
            }
            #expect(besides > 10)
        }
    }

    @Test func readsVariablesBeforeTheyAreOverwritten() {
        for schedule in Self.schedules() {
            var overwriters: [Node: Node] = [:]
            for (node, leaves) in schedule.commits {
                for leaf in leaves { overwriters[leaf] = node }
            }
            #expect(!overwriters.isEmpty)
            for node in schedule.nodes where schedule[node].mode == .serial {
                for input in node.inputs {
                    let leaf = schedule.base(input).node
                    guard
                        let overwriter = overwriters[schedule.keptTransposes.leaves[leaf] ?? leaf],
                        overwriter != node
                    else { continue }
                    // The commits of an epilogue are its last.
                    let (read, overwritten) = (schedule[node], schedule[overwriter])
                    #expect(
                        read.time < overwritten.time
                            || read.time == overwritten.time && !Self.isBeside(read))
                }
            }
        }
    }
}
