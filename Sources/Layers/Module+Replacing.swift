extension Module {
    /// Puts another module in the place of every module of a type, wherever it is in this one:
    ///
    ///     model.replacing(BatchNorm.self) { GroupNorm(groups: 4, $0.channels, axis: $0.axis) }
    ///
    /// Names in checkpoints stay the names of the places. Modules within a replacement are not looked at
    /// again. Compiled steps keep what they were traced with.
    ///
    /// - Parameter make: gives the replacement; giving back the same module leaves it in place.
    /// - Returns: this module, or its replacement.
    @discardableResult
    public func replacing<Old: Module>(_ type: Old.Type, _ make: (Old) -> Module) -> Module {
        // Collected first: what is put in may hold modules of the type again.
        let found = namedModules.compactMap { $0.module as? Old }
        for old in found {
            let new = make(old)
            if new !== old { old.replacement = new }
        }
        return replacement ?? self
    }
}
