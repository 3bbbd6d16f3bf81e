/// HTML and SVG, built of elements.
enum Markup {
    /// An element with its attributes in order; values are escaped, the content is not.
    static func element(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: String = ""
    ) -> String {
        let list = attributes.map { " \($0)=\"\(escape($1))\"" }.joined()
        return "<\(name)\(list)>\(content)</\(name)>"
    }

    /// A text fit to stand in an element or an attribute.
    static func escape(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
