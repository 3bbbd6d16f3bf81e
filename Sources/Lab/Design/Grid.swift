import Training

/// A value of an axis, such as 0.1 of the learning rates.
package struct Level: Hashable, Sendable {
    package var label: String
    /// Where it stands on a numeric axis.
    var number: Double?

    init(_ label: String, _ number: Double? = nil) { (self.label, self.number) = (label, number) }
    init(_ number: Double) { self.init(NumberText.short(number), number) }
}

/// The configurations of an experiment: every combination of the levels of some axes.
package struct Grid: Sendable {
    package struct Configuration: Sendable {
        /// The level on each axis, in the axes' order.
        var levels: [(axis: String, level: Level)]
        package var trial: Trial

        /// Such as `norm=batch, learning rate=0.1`.
        package var name: String {
            levels.map { "\($0.axis)=\($0.level.label)" }.joined(separator: ", ")
        }

        package func level(_ axis: String) -> Level? { levels.first { $0.axis == axis }?.level }
    }

    /// What a level does to a trial.
    typealias Change = (inout Trial) -> Void

    package private(set) var configurations: [Configuration]

    /// One configuration, to be varied.
    package init(_ trial: Trial) { configurations = [Configuration(levels: [], trial: trial)] }

    /// Every configuration so far, at every level of one more axis.
    func over(_ axis: String, _ levels: [(level: Level, change: Change)]) -> Grid {
        var result = self
        result.configurations = configurations.flatMap { configuration in
            levels.map { level, change in
                var next = configuration
                next.levels.append((axis, level))
                change(&next.trial)
                return next
            }
        }
        return result
    }

    /// The same for numbers.
    package func over(
        _ axis: String, numbers: [Double], _ change: @escaping (inout Trial, Double) -> Void
    ) -> Grid {
        over(axis, numbers.map { number in (Level(number), { change(&$0, number) }) })
    }

    /// Every configuration so far, with one more probe.
    func recording(_ probe: Probe) -> Grid {
        var result = self
        for index in configurations.indices {
            result.configurations[index].trial.probes.append(probe)
        }
        return result
    }

    /// Over normalizers.
    package func overNorms(_ norms: [NormKind]) -> Grid {
        over(Axis.norm, norms.map { norm in (Level(norm.rawValue), { $0.run.norm = norm }) })
    }

    /// The configurations of several grids, one behind the other.
    static func + (first: Grid, second: Grid) -> Grid {
        var result = first
        result.configurations += second.configurations
        return result
    }
}

/// The names of axes that experiments share.
package enum Axis {
    package static let norm = "normalizer"
    static let network = "network"
}
