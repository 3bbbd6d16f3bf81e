import Arrays
import Graph
import Interchange
import Layers

/// What a training needs to go on where it stopped: the values of all variables, and how far it had come.
public struct Checkpoint: Sendable {
    public var progress: TrainingProgress
    /// The length of `metrics.jsonl` at that moment; what comes behind belongs to a future that is redone.
    public var metricsByteCount: Int
    /// The form of the data that is trained on; nil where nobody said it.
    public var dataForm: String?
    /// The model's values by their names, the optimizer's, and those of an average of the weights.
    public var modelValues: [String: NDArray]
    public var optimizerValues: [String: NDArray]
    public var averageValues: [String: NDArray]

    static let format = "evenkeel checkpoint 1"

    public init(
        _ trainer: Trainer, progress: TrainingProgress, metricsByteCount: Int,
        dataForm: String? = nil
    ) {
        self.progress = progress
        self.metricsByteCount = metricsByteCount
        self.dataForm = dataForm
        modelValues = values(trainer.model.namedVariables)
        optimizerValues = values(trainer.optimizer.namedVariables(trainer.model))
        averageValues = values(trainer.average?.namedVariables ?? [])
    }

    /// Gives a trainer's variables the values of the checkpoint. Throws, and changes nothing, unless names,
    /// shapes and types fit.
    public func restore(_ trainer: Trainer, source: String) throws(FileError) {
        let pairs =
            try match(trainer.model.namedVariables, modelValues, source)
            + match(trainer.optimizer.namedVariables(trainer.model), optimizerValues, source)
            + match(trainer.average?.namedVariables ?? [], averageValues, source)
        for (variable, value) in pairs { variable.value = value }
    }

    // MARK: - Files

    /// Writes the checkpoint, whole or not at all.
    public func write(to path: String) throws(FileError) {
        let arrays = prefixed("model.", modelValues)
            .merging(prefixed("optimizer.", optimizerValues)) { first, _ in first }
            .merging(prefixed("average.", averageValues)) { first, _ in first }
        var metadata = [
            "format": Self.format, "step": "\(progress.step)",
            "lossSum": "\(progress.lossSum.bitPattern)",
            "sampleCount": "\(progress.sampleCount)", "skippedInRow": "\(progress.skippedInRow)",
            "metricsByteCount": "\(metricsByteCount)",
        ]
        metadata["data"] = dataForm
        metadata["checksum"] = ContentHash.of(arrays, metadata)
        try Safetensors.write(arrays, metadata: metadata, to: path)
    }

    /// Reads a checkpoint and verifies its checksum.
    public init(contentsOf path: String) throws(FileError) {
        let file = try Safetensors(contentsOf: path)
        var metadata = file.metadata
        guard metadata["format"] == Self.format else {
            throw .malformed(path, "this is no checkpoint of a training")
        }
        let arrays = try file.arrays()
        let checksum = metadata.removeValue(forKey: "checksum")
        guard checksum == ContentHash.of(arrays, metadata) else {
            throw .malformed(
                path, "the checkpoint is damaged: its checksum does not fit its content")
        }
        func number(_ key: String) throws(FileError) -> Int {
            guard let value = metadata[key].flatMap({ Int($0) }), value >= 0 else {
                throw .malformed(path, "the checkpoint has no valid '\(key)'")
            }
            return value
        }
        progress = TrainingProgress()
        progress.step = try number("step")
        progress.sampleCount = try number("sampleCount")
        progress.skippedInRow = try number("skippedInRow")
        guard let bits = metadata["lossSum"].flatMap({ UInt64($0) }) else {
            throw .malformed(path, "the checkpoint has no valid 'lossSum'")
        }
        progress.lossSum = Double(bitPattern: bits)
        metricsByteCount = try number("metricsByteCount")
        dataForm = metadata["data"]
        modelValues = part("model.", of: arrays)
        optimizerValues = part("optimizer.", of: arrays)
        averageValues = part("average.", of: arrays)
    }
}

extension Module {
    /// Writes parameters and states under their names, such as `1.weight` and `1.running_mean`. The bytes
    /// depend on the values alone.
    public func write(to path: String) throws(FileError) {
        try Safetensors.write(values(namedVariables), to: path)
    }

    /// Reads parameters and states. Throws, and changes nothing, unless names, shapes and types fit.
    public func read(from path: String) throws(FileError) {
        let arrays = try Safetensors(contentsOf: path).arrays()
        for (variable, value) in try match(namedVariables, arrays, path) { variable.value = value }
    }
}

private typealias Named = [(name: String, variable: Variable)]

private func values(_ variables: Named) -> [String: NDArray] {
    Dictionary(
        variables.map { ($0.name, $0.variable.value) }, uniquingKeysWith: { first, _ in first })
}

private func prefixed(_ prefix: String, _ arrays: [String: NDArray]) -> [String: NDArray] {
    Dictionary(uniqueKeysWithValues: arrays.map { (prefix + $0, $1) })
}

private func part(_ prefix: String, of arrays: [String: NDArray]) -> [String: NDArray] {
    let pairs = arrays.filter { $0.key.hasPrefix(prefix) }
    return Dictionary(
        uniqueKeysWithValues: pairs.map { (String($0.key.dropFirst(prefix.count)), $0.value) })
}

/// Each variable with its value from a file.
private func match(_ variables: Named, _ arrays: [String: NDArray], _ source: String)
    throws(FileError) -> [(Variable, NDArray)]
{
    var result: [(Variable, NDArray)] = []
    for (name, variable) in variables {
        guard let value = arrays[name] else {
            throw .malformed(source, "expected a tensor named '\(name)', found none")
        }
        let found = TensorSpec(value.shape, value.elementType)
        guard found == variable.spec else {
            throw .malformed(source, "'\(name)': expected \(variable.spec), found \(found)")
        }
        result.append((variable, value))
    }
    let known = Set(variables.map(\.name))
    if let extra = arrays.keys.filter({ !known.contains($0) }).min() {
        throw .malformed(source, "the model has no '\(extra)'")
    }
    return result
}
