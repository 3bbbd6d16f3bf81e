import Arrays
import Datasets
import Yams

extension RunConfiguration {
    private static let keys = [
        "data", "imageSize", "model", "hidden", "norm", "zeroGamma", "activation", "init",
        "dropout",
        "epochs", "steps", "batchSize", "accumulate", "dropLastBatch", "optimizer", "learningRate",
        "momentum", "l1",
        "l2", "schedule", "warmUp", "labelSmoothing", "ema", "augment", "normalize", "precision",
        "seed",
        "maxBadBatches", "folded",
    ]

    /// Reads a configuration; what it does not name keeps its default. Throws with the line of what is
    /// wrong; unknown keys are. `model` is `mlp`, the name of an architecture, or a description of layers.
    public init(yaml text: String, source: String) throws(ConfigurationError) {
        let reader = try YAMLReader(text, source: source)
        let entries = try reader.entries(known: Self.keys, in: "configuration")
        if let value = entries["data"] { data = try value.text("data") }
        if let value = entries["imageSize"] {
            let text = try value.text("imageSize")
            do { imageSize = try ImageFolder.Size(parsing: text) } catch {
                throw value.error("\(error)")
            }
        }
        if let value = entries["model"] {
            if value.isScalar {
                let name = try value.text("model")
                architecture = Architecture(rawValue: name)
                guard name == "mlp" || architecture != nil else {
                    let known = Architecture.allCases.map(\.rawValue).joined(separator: ", ")
                    throw value.error("model: expected mlp, \(known), or a list of layers")
                }
            } else {
                model = try ModelDescription(value)
            }
        }
        if let value = entries["hidden"] {
            hidden = value.isScalar ? [try value.integer("hidden")] : try value.integers("hidden")
        }
        if let value = entries["norm"] { norm = try Self.choice(value, "norm") }
        if let value = entries["zeroGamma"] { zeroGamma = try value.flag("zeroGamma") }
        if let value = entries["activation"] { activation = try Self.choice(value, "activation") }
        if let value = entries["init"] { initializer = try value.text("init") }
        if let value = entries["dropout"] { dropout = try value.number("dropout") }
        if let value = entries["epochs"] { length = .epochs(try value.integer("epochs")) }
        if let value = entries["steps"] {
            guard entries["epochs"] == nil else {
                throw value.error("steps: expected either epochs or steps, found both")
            }
            length = .steps(try value.integer("steps"))
        }
        if let value = entries["batchSize"] { batchSize = try value.integer("batchSize") }
        if let value = entries["accumulate"] { accumulate = try value.integer("accumulate") }
        if let value = entries["dropLastBatch"] { dropsLastBatch = try value.flag("dropLastBatch") }
        if let value = entries["optimizer"] { optimizer = try Self.choice(value, "optimizer") }
        if let value = entries["learningRate"] { learningRate = try value.number("learningRate") }
        if let value = entries["momentum"] { momentum = try value.number("momentum") }
        if let value = entries["l1"] { l1 = try value.number("l1") }
        if let value = entries["l2"] { l2 = try value.number("l2") }
        if let value = entries["schedule"] { schedule = try value.text("schedule") }
        if let value = entries["warmUp"] { warmUp = try value.integer("warmUp") }
        if let value = entries["labelSmoothing"] {
            labelSmoothing = try value.number("labelSmoothing")
        }
        if let value = entries["ema"] { averageDecay = try value.number("ema") }
        if let value = entries["augment"] {
            let text = try value.text("augment")
            do { augmentation = try Augmentation(parsing: text) } catch {
                throw value.error("\(error)")
            }
        }
        if let value = entries["normalize"] { normalization = try Self.normalization(value) }
        if let value = entries["precision"] { precision = try Self.choice(value, "precision") }
        if let value = entries["seed"] {
            guard let number = UInt64(try value.text("seed")) else {
                throw value.error("seed: expected a whole number of 0 or more")
            }
            seed = number
        }
        if let value = entries["maxBadBatches"] {
            maximumBadBatches = try value.integer("maxBadBatches")
        }
        if let value = entries["folded"] { isFolded = try value.flag("folded") }
        do throws(ConfigurationError) { try validate() } catch {
            throw ConfigurationError("\(source): \(error)")
        }
    }

    /// `true`, `false`, or `{mean: [...], deviation: [...]}`.
    private static func normalization(_ reader: YAMLReader) throws(ConfigurationError)
        -> NormalizationChoice
    {
        if reader.isScalar { return try reader.flag("normalize") ? .byTrainingData : .none }
        let entries = try reader.entries(known: ["mean", "deviation"], in: "normalize")
        let mean = try entries["mean"]?.numbers("normalize, mean") ?? []
        let deviation = try entries["deviation"]?.numbers("normalize, deviation") ?? []
        guard !mean.isEmpty, mean.count == deviation.count, deviation.allSatisfy({ $0 > 0 }) else {
            throw reader.error(
                "normalize: expected true, false, or a mean and a positive deviation for each channel"
            )
        }
        return .by(ChannelNormalization(mean: mean, deviation: deviation))
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ reader: YAMLReader, _ what: String
    ) throws(ConfigurationError) -> Choice where Choice.RawValue == String {
        let text = try reader.text(what)
        guard let choice = Choice(rawValue: text) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw reader.error("\(what): expected one of \(known), found '\(text)'")
        }
        return choice
    }

    /// The configuration as YAML that ``init(yaml:source:)`` reads back.
    public var yaml: String {
        func number(_ value: Double) -> Node { Node("\(value)", Tag(.float)) }
        func integer(_ value: some BinaryInteger) -> Node { Node("\(value)", Tag(.int)) }
        var pairs: [(Node, Node)] = [("data", Node(data))]
        if let imageSize { pairs.append(("imageSize", Node(imageSize.text))) }
        if let model {
            pairs.append(("model", model.node))
        } else if let architecture {
            pairs += [("model", Node(architecture.rawValue)), ("norm", Node(norm.rawValue))]
            if zeroGamma { pairs.append(("zeroGamma", Node("true", Tag(.bool)))) }
        } else {
            pairs += [
                ("model", "mlp"), ("hidden", Node(hidden.map(integer), .implicit, .flow)),
                ("norm", Node(norm.rawValue)), ("activation", Node(activation.rawValue)),
                ("init", Node(initializer)), ("dropout", number(dropout)),
            ]
        }
        switch length {
        case .epochs(let count): pairs.append(("epochs", integer(count)))
        case .steps(let count): pairs.append(("steps", integer(count)))
        }
        pairs += [
            ("batchSize", integer(batchSize)), ("accumulate", integer(accumulate)),
            ("dropLastBatch", Node(dropsLastBatch ? "true" : "false", Tag(.bool))),
            ("optimizer", Node(optimizer.rawValue)), ("learningRate", number(learningRate)),
            ("momentum", number(momentum)), ("l1", number(l1)), ("l2", number(l2)),
            ("schedule", Node(schedule)), ("warmUp", integer(warmUp)),
            ("labelSmoothing", number(labelSmoothing)), ("precision", Node(precision.rawValue)),
            ("seed", integer(seed)),
            ("maxBadBatches", integer(maximumBadBatches)),
        ]
        if let averageDecay { pairs.append(("ema", number(averageDecay))) }
        if let augmentation { pairs.append(("augment", Node(augmentation.text))) }
        switch normalization {
        case .none: break
        case .byTrainingData: pairs.append(("normalize", Node("true", Tag(.bool))))
        case .by(let statistics):
            let lists = [("mean", statistics.mean), ("deviation", statistics.deviation)].map {
                (Node($0), Node($1.map(number), .implicit, .flow))
            }
            pairs.append(("normalize", Node(lists)))
        }
        if isFolded { pairs.append(("folded", Node("true", Tag(.bool)))) }
        do { return try Yams.serialize(node: Node(pairs)) } catch {
            preconditionFailure("a configuration of plain values must have a YAML form: \(error)")
        }
    }
}
