import Training

/// How an experiment is to be run: what the user chose.
public struct LabOptions: Hashable, Sendable {
    public enum Scale: String, Codable, Hashable, Sendable, CaseIterable { case quick, full }

    /// As `evenkeel train` takes it.
    public var data = "fashion-mnist"
    /// A network of the user's, in place of the experiment's, and its file's name.
    public var model: ModelDescription?
    public var modelName: String?
    public var seeds = 3
    public var scale = Scale.quick

    public init() {}

    /// One number for quick, another for full.
    func pick<Value>(quick: Value, full: Value) -> Value { scale == .quick ? quick : full }

    /// Throws when the user's network gives an experiment nothing to compare.
    public func check(_ experiment: Experiment) throws(ConfigurationError) {
        guard let model else { return }
        let name = modelName ?? "the model"
        guard model.hasBatchNorm else {
            throw ConfigurationError(
                "\(name) has no batchNorm: that is where an experiment's normalizers go")
        }
        let configurations = experiment.grid(self).configurations
        guard Set(configurations.map(\.trial)).count == configurations.count else {
            throw ConfigurationError(
                "\(experiment.name) would train the same again and again with \(name): "
                    + experiment.withModel)
        }
    }

    /// The user's network, or the experiment's.
    func network(_ own: Network) -> Network { model.map { .layers($0) } ?? own }
}
