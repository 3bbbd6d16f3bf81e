/// What an experiment's trials gave.
package struct Results: Sendable {
    package struct Entry: Sendable {
        let configuration: Grid.Configuration
        /// By seed; fewer than planned while the experiment is not finished.
        package let outcomes: [Int: Outcome]

        package init(configuration: Grid.Configuration, outcomes: [Int: Outcome]) {
            (self.configuration, self.outcomes) = (configuration, outcomes)
        }

        func level(_ axis: String) -> Level { configuration.level(axis) ?? Level("") }

        func scalars(_ name: String) -> [Double] {
            outcomes.sorted { $0.key < $1.key }.compactMap { $0.value.scalars[name] }
        }
    }

    package var entries: [Entry]

    package init(entries: [Entry]) { self.entries = entries }

    /// The entries at some levels, by label.
    func at(_ levels: [String: String]) -> Results {
        Results(
            entries: entries.filter { entry in
                levels.allSatisfy { entry.level($0.key).label == $0.value }
            })
    }

    /// The levels of an axis, in order.
    func levels(_ axis: String) -> [Level] {
        var seen: Set<Level> = []
        return entries.compactMap { $0.configuration.level(axis) }.filter {
            seen.insert($0).inserted
        }
    }

    /// The seeds that every entry has.
    package var commonSeeds: [Int] {
        guard let first = entries.first else { return [] }
        return first.outcomes.keys.filter { seed in
            entries.allSatisfy { $0.outcomes[seed] != nil }
        }.sorted()
    }

    /// A number for each seed that every entry has; nil where there is none.
    func perSeed(_ value: (Results.Seed) -> Bounded?) -> [Bounded] {
        commonSeeds.compactMap { value(Seed(results: self, seed: $0)) }
    }

    /// The outcomes of one seed.
    struct Seed {
        let results: Results
        let seed: Int

        func outcome(_ levels: [String: String]) -> Outcome? {
            results.at(levels).entries.first?.outcomes[seed]
        }

        /// Each entry at some levels with its outcome.
        func outcomes(_ levels: [String: String]) -> [(entry: Entry, outcome: Outcome)] {
            results.at(levels).entries.compactMap { entry in
                entry.outcomes[seed].map { (entry, $0) }
            }
        }
    }
}

/// A number of which sometimes only a bound is known: what was not reached within a training takes longer.
package struct Bounded: Hashable, Sendable {
    package enum Kind: Hashable, Sendable { case exact, atLeast, atMost }
    var value: Double
    var kind = Kind.exact

    package init(_ value: Double, _ kind: Kind = .exact) { (self.value, self.kind) = (value, kind) }
}
