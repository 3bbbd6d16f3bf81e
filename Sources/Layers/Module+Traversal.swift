import Arrays

extension Module {
    /// This module (under the empty name) and all within it, parents first. A module that is reached
    /// twice is listed once.
    public var namedModules: [(name: String, module: Module)] {
        var seen: Set<ObjectIdentifier> = []
        var result: [(name: String, module: Module)] = []
        func visit(_ place: Module, _ name: String) {
            var module = place
            while let next = module.replacement, !seen.contains(ObjectIdentifier(next)) {
                module = next
            }
            guard seen.insert(ObjectIdentifier(module)).inserted else { return }
            result.append((name, module))
            for case (let last, .module(let child)) in module.members() {
                visit(child, name.isEmpty ? last : "\(name).\(last)")
            }
        }
        visit(self, "")
        return result
    }

    /// All parameters with their names in checkpoints, such as `1.weight`. One that is shared is listed
    /// once, under the first name.
    public var namedParameters: [(name: String, parameter: Parameter)] {
        cells { if case .parameter(let parameter) = $0 { parameter } else { nil } }
            .map { (name: $0, parameter: $1) }
    }

    /// All states with their names in checkpoints, such as `1.running_mean`.
    public var namedStates: [(name: String, state: State)] {
        cells { if case .state(let state) = $0 { state } else { nil } }
            .map { (name: $0, state: $1) }
    }

    public var parameters: [Parameter] { namedParameters.map(\.parameter) }
    public var states: [State] { namedStates.map(\.state) }

    /// The number of numbers to learn.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.shape.elementCount } }

    /// Draws all parameters anew from their initializers, and sets all states back. What a parameter gets
    /// depends only on the seed, its name and its shape.
    public func initialize(seed: UInt64) {
        for (name, parameter) in namedParameters { parameter.initialize(seed: seed, name: name) }
        for state in states { state.reset() }
    }

    /// Sets whether the parameters of this module and of all within it are trained. Which statistics a
    /// batch norm uses and updates is another question; see ``BatchNorm``.
    public func setTrainable(_ isTrainable: Bool) {
        for parameter in parameters { parameter.isTrainable = isTrainable }
    }

    /// Converts all parameters, and all floating-point states that are not wider already.
    public func convert(to type: ElementType) {
        for parameter in parameters { parameter.convert(to: type) }
        for state in states { state.widen(to: type) }
    }

    private func cells<Cell: AnyObject>(_ select: (Member) -> Cell?) -> [(String, Cell)] {
        var seen: Set<ObjectIdentifier> = []
        return namedModules.flatMap { path, module in
            module.members().compactMap { last, member -> (String, Cell)? in
                guard let cell = select(member), seen.insert(ObjectIdentifier(cell)).inserted else {
                    return nil
                }
                return (path.isEmpty ? last : "\(path).\(last)", cell)
            }
        }
    }
}

/// The members found in the stored properties of an object, its superclasses' first.
func reflectedMembers(of object: Module) -> [(name: String, member: Module.Member)] {
    var mirrors: [Mirror] = []
    var next: Mirror? = Mirror(reflecting: object)
    while let mirror = next, mirror.subjectType != Module.self {
        mirrors.append(mirror)
        next = mirror.superclassMirror
    }
    return mirrors.reversed().flatMap { mirror in
        mirror.children.flatMap { child in
            child.label.map { members(in: child.value, named: $0) } ?? []
        }
    }
}

private func members(in value: Any, named name: String) -> [(name: String, member: Module.Member)] {
    switch value {
    case let module as Module: return [(name, .module(module))]
    case let parameter as Parameter: return [(parameter.name ?? name, .parameter(parameter))]
    case let state as State: return [(state.name, .state(state))]
    default: break
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
        return mirror.children.first.map { members(in: $0.value, named: name) } ?? []
    case .collection:
        return mirror.children.enumerated().flatMap { index, child in
            members(in: child.value, named: "\(name).\(index)")
        }
    case .dictionary:
        let pairs = mirror.children.compactMap { child -> (key: String, value: Any)? in
            let pair = Array(Mirror(reflecting: child.value).children)
            return pair.count == 2 ? ("\(pair[0].value)", pair[1].value) : nil
        }
        return pairs.sorted { $0.key < $1.key }.flatMap { pair in
            members(in: pair.value, named: "\(name).\(pair.key)")
        }
    default: return []
    }
}
