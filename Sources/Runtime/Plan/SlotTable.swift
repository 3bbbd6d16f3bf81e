import Arrays
import Graph

/// The addresses that are bound anew for each run: inputs, variables, and results.
struct SlotTable {
    enum Binding {
        case input(position: Int)
        /// A variable that is read, or overwritten in place.
        case variable(Variable, isOverwritten: Bool)
        /// The next value of a variable, exchanged with the present one at the commit.
        case proposal(Variable)
        case output(TensorSpec)
    }

    private(set) var bindings: [Binding] = []
    private var variables: [Variable: Int] = [:]
    private var inputs: [Int: Int] = [:]

    var count: Int { bindings.count }

    /// The bytes of all but inputs and variables, which are there already.
    var byteCount: Double {
        bindings.reduce(0) { sum, binding in
            switch binding {
            case .input, .variable: sum
            case .proposal(let variable): sum + Double(variable.spec.byteCount)
            case .output(let spec): sum + Double(spec.byteCount)
            }
        }
    }

    private mutating func add(_ binding: Binding) -> Int {
        bindings.append(binding)
        return bindings.count - 1
    }

    mutating func input(_ position: Int) -> Int {
        if let slot = inputs[position] { return slot }
        let slot = add(.input(position: position))
        inputs[position] = slot
        return slot
    }

    mutating func variable(_ variable: Variable) -> Int {
        if let slot = variables[variable] { return slot }
        let slot = add(.variable(variable, isOverwritten: false))
        variables[variable] = slot
        return slot
    }

    mutating func overwrite(_ slot: Int) {
        guard case .variable(let variable, _) = bindings[slot] else { return }
        bindings[slot] = .variable(variable, isOverwritten: true)
    }

    mutating func proposal(_ variable: Variable) -> Int { add(.proposal(variable)) }

    mutating func output(_ spec: TensorSpec) -> Int { add(.output(spec)) }
}
