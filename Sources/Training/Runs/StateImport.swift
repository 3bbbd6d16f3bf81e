import Arrays
import Graph
import Interchange
import Layers

/// How values that another program saved become those of a model here: a `state_dict` of PyTorch, say,
/// in a safetensors file.
///
/// Weights of convolutions are `[outputs, inputs / groups, extents...]` there and here. Columns of a dense
/// layer behind a flattened image are in the order of the image's axes, which is another one.
/// ``StateExport`` is the way back.
public struct StateImport: Hashable, Sendable {
    /// Which axis of an image comes first in memory where the values come from.
    public enum Layout: String, Hashable, Sendable, CaseIterable {
        /// As PyTorch has it.
        case channelsFirst = "channels-first"
        /// As here and in Keras.
        case channelsLast = "channels-last"

        /// The variables of a model that another program has in another order.
        func flattenedImages(_ model: Module, _ input: TensorSpec) -> [Variable: FlattenedImage] {
            guard self == .channelsFirst else { return [:] }
            return Dictionary(
                uniqueKeysWithValues: model.flattenedImages(input: input).map { ($0.variable, $0) })
        }
    }

    /// Parts of names, whole between dots, that are replaced, one after the other.
    public struct Renaming: Hashable, Sendable {
        public var from: String
        public var to: String

        public init(from: String, to: String) {
            self.from = from
            self.to = to
        }

        /// `shortcut.0` to `downsample.0` in `layer1.shortcut.0.weight`; an empty replacement removes.
        func applied(to name: String) -> String {
            let (old, new) = (from.split(separator: "."), to.split(separator: "."))
            var parts = name.split(separator: ".")
            var index = 0
            while !old.isEmpty, index + old.count <= parts.count {
                if Array(parts[index..<(index + old.count)]) == old {
                    parts.replaceSubrange(index..<(index + old.count), with: new)
                    index += new.count
                } else {
                    index += 1
                }
            }
            return parts.joined(separator: ".")
        }
    }

    public var layout: Layout
    public var renamings: [Renaming]

    public init(layout: Layout = .channelsFirst, renamings: [Renaming] = []) {
        self.layout = layout
        self.renamings = renamings
    }

    /// Gives a model the values of a file. Throws, and changes nothing, unless every parameter and state
    /// has a value of its shape and no value is left over, all are finite, and variances and counts are 0
    /// or more. Floating-point types are converted. Counts of
    /// batches that are missing become 1, and 0 for statistics that are what they begin as.
    ///
    /// - Parameter input: the shape and type of some inputs of the model.
    public func read(_ path: String, into model: Module, input: TensorSpec) throws(FileError) {
        let images = layout.flattenedImages(model, input)
        let file = try Safetensors(contentsOf: path)
        // Names and shapes are compared before anything is read.
        var entries = try named(file)
        var sources: [(name: String, variable: Variable, entry: Safetensors.Entry?)] = []
        for (name, variable) in model.namedVariables {
            let entry = entries.removeValue(forKey: name)
            if let entry {
                try check(entry, name, variable.spec, path)
            } else {
                try checkMayBeMissing(name, entries, path)
            }
            sources.append((name, variable, entry))
        }
        if let extra = entries.keys.min() {
            throw .malformed(
                path, "the model has no '\(extra)' (\(entries.count) tensors are left over)")
        }
        var values: [String: NDArray] = [:]
        for (name, variable, entry) in sources {
            guard let entry else { continue }
            let value = try file.array(entry.name).reshaped(variable.spec.shape)
                .converted(to: variable.spec.type)
            try checkValues(value, name, path)
            values[name] = images[variable]?.channelsLast(value) ?? value
        }
        for (name, variable, _) in sources {
            variable.value = values[name] ?? count(name, values)
        }
    }

    /// Throws where a value is none that a model can have.
    private func checkValues(_ array: NDArray, _ name: String, _ path: String) throws(FileError) {
        let values: [Double] = array.elements()
        if let value = values.first(where: { !$0.isFinite }) {
            throw .malformed(
                path, "'\(name)': expected finite numbers, found \(value.plainDescription)")
        }
        let isVariance = name.hasSuffix("running_var")
        guard isVariance || name.hasSuffix(Self.batchCount) else { return }
        if let value = values.first(where: { $0 < 0 }) {
            throw .malformed(
                path,
                "'\(name)': expected "
                    + (isVariance
                        ? "variances of 0 or more, found \(value)"
                        : "a count of 0 or more, found \(Int64(value))"))
        }
    }

    /// How many batches statistics come from whose count is missing: one, if they come from any.
    private func count(_ name: String, _ values: [String: NDArray]) -> NDArray {
        let prefix = name.dropLast(Self.batchCount.count)
        let areInitial = values[prefix + "running_var"].map {
            RunningStatistics.areInitial(mean: values[prefix + "running_mean"], variance: $0)
        }
        return NDArray(scalar: Int64(areInitial == true ? 0 : 1))
    }

    private static let batchCount = "num_batches_tracked"

    /// The tensors under the model's names. What wrappers put in front of every name goes away.
    private func named(_ file: Safetensors) throws(FileError) -> [String: Safetensors.Entry] {
        var pairs = file.entries.map { ($0.name, $0) }
        // Wrappers may be wrapped again, in any order.
        while let prefix = ["module.", "_orig_mod."].first(where: { prefix in
            !pairs.isEmpty && pairs.allSatisfy { $0.0.hasPrefix(prefix) }
        }) {
            pairs = pairs.map { (String($0.0.dropFirst(prefix.count)), $0.1) }
        }
        var result: [String: Safetensors.Entry] = [:]
        for (name, entry) in pairs.sorted(by: { $0.0 < $1.0 }) {
            let new = renamings.reduce(name) { $1.applied(to: $0) }
            guard result.updateValue(entry, forKey: new) == nil else {
                throw .malformed(file.path, "two tensors would be named '\(new)', one is '\(name)'")
            }
        }
        return result
    }

    /// Counts of batches may be missing.
    private func checkMayBeMissing(
        _ name: String, _ entries: [String: Safetensors.Entry], _ path: String
    ) throws(FileError) {
        guard !name.hasSuffix(Self.batchCount) else { return }
        let others = entries.keys.sorted().prefix(3).map { "'\($0)'" }.joined(separator: ", ")
        throw .malformed(
            path,
            "expected a tensor named '\(name)', found none"
                + (others.isEmpty ? "" : "; there are \(others)"))
    }

    private func check(
        _ entry: Safetensors.Entry, _ name: String, _ spec: TensorSpec, _ path: String
    ) throws(FileError) {
        // A type that arrays do not have is refused when the tensor is read.
        let type = entry.elementType ?? spec.type
        let fits = type == spec.type || (type.isFloatingPoint && spec.type.isFloatingPoint)
        guard fits,
            entry.shape == spec.shape
                || (entry.shape.elementCount == 1 && spec.shape.elementCount == 1)
        else {
            throw .malformed(
                path, "'\(name)': expected \(spec), found \(TensorSpec(entry.shape, type))")
        }
    }
}
