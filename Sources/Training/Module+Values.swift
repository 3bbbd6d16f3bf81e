import Arrays
import Graph
import Layers

extension Module {
    /// Parameters and states with their names in checkpoints.
    public var namedVariables: [(name: String, variable: Variable)] {
        namedParameters.map { ($0.name, $0.parameter.variable) }
            + namedStates.map { ($0.name, $0.state.variable) }
    }

    var allVariables: [Variable] { namedVariables.map(\.variable) }
}
