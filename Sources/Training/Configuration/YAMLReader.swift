import Interchange
import Yams

/// Reads values out of a YAML text and says in which line something is wrong.
struct YAMLReader {
    /// The file's name, for messages.
    let source: String
    let node: Node

    /// Larger texts are refused: descriptions are written by people.
    static let maximumByteCount = 64 << 10
    /// Deeper nesting is refused before parsing, which bounds the parser's stack.
    static let maximumDepth = 32

    init(_ text: String, source: String) throws(ConfigurationError) {
        guard text.utf8.count <= Self.maximumByteCount else {
            throw ConfigurationError(
                "\(source): expected at most \(Self.maximumByteCount) bytes of YAML, found "
                    + "\(text.utf8.count)")
        }
        guard Self.isShallow(text) else {
            throw ConfigurationError("\(source): nested more than \(Self.maximumDepth) levels deep")
        }
        let parsed: Node?
        do { parsed = try Yams.compose(yaml: text) } catch {
            let reason = "\(error)".split(separator: "\n").first.map(String.init) ?? "not YAML"
            throw ConfigurationError("\(source): \(reason)")
        }
        guard let parsed else { throw ConfigurationError("\(source): the file is empty") }
        self.init(source: source, node: parsed)
    }

    init(source: String, node: Node) {
        self.source = source
        self.node = node
    }

    private static func isShallow(_ text: String) -> Bool {
        var depth = 0
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            let indicators = line.prefix { " -?:".contains($0) }.count { "-?:".contains($0) }
            if indicators > maximumDepth { return false }
            for character in line {
                if "[{".contains(character) { depth += 1 }
                if "]}".contains(character) { depth -= 1 }
                if depth > maximumDepth { return false }
            }
        }
        return true
    }

    var line: Int { node.mark?.line ?? 0 }

    func error(_ message: String) -> ConfigurationError {
        ConfigurationError(line > 0 ? "\(source):\(line): \(message)" : "\(source): \(message)")
    }

    private func at(_ node: Node) -> YAMLReader { YAMLReader(source: source, node: node) }

    // MARK: - Structure

    /// The entries of a mapping. Throws when it is none, or a key is unknown or there twice.
    func entries(known: [String], in what: String) throws(ConfigurationError) -> [String:
        YAMLReader]
    {
        guard let mapping = node.mapping else {
            throw error("\(what): expected keys with values, found \(kind)")
        }
        var result: [String: YAMLReader] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard known.contains(name) else {
                throw at(key).error(
                    "\(what): unknown key '\(name)'; known are \(known.joined(separator: ", "))")
            }
            guard result.updateValue(at(value), forKey: name) == nil else {
                throw at(key).error("\(what): the key '\(name)' is there twice")
            }
        }
        return result
    }

    /// The only entry of a mapping.
    func singleEntry() -> (key: String, value: YAMLReader)? {
        guard let mapping = node.mapping, mapping.count == 1, let (key, value) = mapping.first,
            let name = key.string
        else { return nil }
        return (name, at(value))
    }

    /// The elements of a list.
    func elements(_ what: String) throws(ConfigurationError) -> [YAMLReader] {
        guard let sequence = node.sequence else {
            throw error("\(what): expected a list, found \(kind)")
        }
        return sequence.map { at($0) }
    }

    // MARK: - Values

    var isNull: Bool { node.null != nil }
    var isScalar: Bool { node.scalar != nil }
    var isSequence: Bool { node.sequence != nil }

    func integer(_ what: String) throws(ConfigurationError) -> Int {
        guard let value = node.int else {
            throw error("\(what): expected a whole number, found \(kind)")
        }
        return value
    }

    func number(_ what: String) throws(ConfigurationError) -> Double {
        guard let value = node.float, value.isFinite else {
            throw error("\(what): expected a number, found \(kind)")
        }
        return value
    }

    func flag(_ what: String) throws(ConfigurationError) -> Bool {
        guard let value = node.bool else {
            throw error("\(what): expected true or false, found \(kind)")
        }
        return value
    }

    func text(_ what: String) throws(ConfigurationError) -> String {
        guard let value = node.string else {
            throw error("\(what): expected a text, found \(kind)")
        }
        return value
    }

    func integers(_ what: String) throws(ConfigurationError) -> [Int] {
        var result: [Int] = []
        for element in try elements(what) { result.append(try element.integer(what)) }
        return result
    }

    func numbers(_ what: String) throws(ConfigurationError) -> [Double] {
        var result: [Double] = []
        for element in try elements(what) { result.append(try element.number(what)) }
        return result
    }

    private var kind: String {
        if node.null != nil { return "nothing" }
        if let scalar = node.scalar { return "'\(scalar.string.prefix(40))'" }
        return node.mapping == nil ? "a list" : "keys with values"
    }
}
