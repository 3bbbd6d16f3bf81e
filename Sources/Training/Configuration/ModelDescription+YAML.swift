import Yams

extension ModelDescription {
    /// Reads a description. Throws with the line of what is wrong; unknown keys are.
    public init(yaml text: String, source: String) throws(ConfigurationError) {
        try self.init(try YAMLReader(text, source: source))
    }

    init(_ reader: YAMLReader) throws(ConfigurationError) {
        var list = reader
        if !reader.isSequence {
            guard let layers = try reader.entries(known: ["layers"], in: "model")["layers"] else {
                throw reader.error("model: expected a list of layers under 'layers'")
            }
            list = layers
        }
        var room = Self.maximumLayerCount
        layers = try Layer.list(list, "layers", &room)
    }

    /// More layers than this are refused, those within residual blocks included: a few lines of YAML that
    /// repeat each other's anchors could ask for any number. So many are planned in seconds.
    static let maximumLayerCount = 4000

    /// The description as YAML nodes.
    var node: Node {
        Node([(Node("layers"), Node(layers.map { $0.node }))])
    }
}

extension ModelDescription.Layer {
    /// - Parameter room: how many layers more there may be.
    fileprivate static func list(_ reader: YAMLReader, _ what: String, _ room: inout Int)
        throws(ConfigurationError) -> [ModelDescription.Layer]
    {
        var layers: [ModelDescription.Layer] = []
        for element in try reader.elements(what) {
            guard room > 0 else {
                throw element.error(
                    "expected at most \(ModelDescription.maximumLayerCount) layers in all")
            }
            room -= 1
            layers.append(try Self(element, &room))
        }
        guard !layers.isEmpty else { throw reader.error("\(what): expected at least one layer") }
        return layers
    }

    private init(_ reader: YAMLReader, _ room: inout Int) throws(ConfigurationError) {
        let (name, value): (String, YAMLReader?)
        if reader.isScalar {
            (name, value) = (try reader.text("layer"), nil)
        } else if let entry = reader.singleEntry() {
            (name, value) = (entry.key, entry.value)
        } else {
            throw reader.error(
                "expected a layer's name, or the name with its options behind a colon")
        }
        guard let kind = LayerKind(rawValue: name) else {
            let known = LayerKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw reader.error("unknown layer '\(name)'; known are \(known)")
        }
        self.init(kind)
        guard let value, !value.isNull else { return }
        if value.isScalar || value.isSequence {
            guard let key = kind.shorthand else {
                throw value.error("\(name): expected options by name, such as \(name): {...}")
            }
            options[key] = try Self.option(
                value, kind.options[key]!, "\(name), \(key)", &room)
            return
        }
        let known = kind.options.keys.sorted()
        for (key, entry) in try value.entries(known: known, in: name) {
            options[key] = try Self.option(
                entry, kind.options[key]!, "\(name), \(key)", &room)
        }
    }

    private static func option(
        _ reader: YAMLReader, _ type: LayerKind.OptionType, _ what: String, _ room: inout Int
    ) throws(ConfigurationError) -> ModelDescription.Option {
        switch type {
        case .flag: .flag(try reader.flag(what))
        case .integer: .integer(try reader.integer(what))
        case .number: .number(try reader.number(what))
        case .text: .text(try reader.text(what))
        case .integers: .integers(try reader.integers(what))
        case .extents: .integers(try extents(reader, what))
        case .padding: try padding(reader, what)
        case .layers: .layers(try list(reader, what, &room))
        }
    }

    private static func padding(_ reader: YAMLReader, _ what: String) throws(ConfigurationError)
        -> ModelDescription.Option
    {
        if reader.isScalar {
            let text = try reader.text(what)
            if Int(text) == nil { return .text(text) }
        }
        return .integers(try extents(reader, what))
    }

    private static func extents(_ reader: YAMLReader, _ what: String) throws(ConfigurationError)
        -> [Int]
    {
        reader.isScalar ? [try reader.integer(what)] : try reader.integers(what)
    }

    fileprivate var node: Node {
        if options.isEmpty { return Node(kind.rawValue) }
        let pairs = options.sorted { $0.key < $1.key }.map { (Node($0.key), $0.value.node) }
        return Node([(Node(kind.rawValue), Node(pairs, .implicit, .flow))])
    }
}

extension ModelDescription.Option {
    fileprivate var node: Node {
        switch self {
        case .flag(let value): Node(value ? "true" : "false", Tag(.bool))
        case .integer(let value): Node("\(value)", Tag(.int))
        case .number(let value): Node("\(value)", Tag(.float))
        case .text(let value): Node(value)
        case .integers(let values):
            Node(values.map { Node("\($0)", Tag(.int)) }, .implicit, .flow)
        case .layers(let layers): Node(layers.map(\.node), .implicit, .flow)
        }
    }
}
