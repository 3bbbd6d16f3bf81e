/// A page that needs nothing but itself: text, charts with their tables, in light and dark.
struct ReportPage {
    let title: String
    private var parts: [String] = []
    private var contents: [(id: String, title: String)] = []

    init(_ title: String) { self.title = title }

    mutating func section(_ id: String, _ title: String) {
        contents.append((id, title))
        parts.append(Markup.element("h2", ["id": id], Markup.escape(title)))
    }

    mutating func heading(_ text: String) {
        parts.append(Markup.element("h3", [:], Markup.escape(text)))
    }

    mutating func paragraph(_ text: String, style: String = "") {
        parts.append(Markup.element("p", ["class": style], Markup.escape(text)))
    }

    /// A sentence with a word in front of it.
    mutating func note(_ label: String, _ text: String) {
        parts.append("<p><strong>\(Markup.escape(label))</strong> \(Markup.escape(text))</p>")
    }

    /// A line to be copied.
    mutating func command(_ text: String) {
        parts.append(Markup.element("pre", ["tabindex": "0"], Markup.escape(text)))
    }

    mutating func verdict(_ claim: String, _ verdict: Verdict) {
        parts.append(
            Markup.element(
                "p", ["class": "verdict \(verdict.kind.style)"],
                "\(verdict.kind.mark) \(Markup.escape(claim)) "
                    + "<span>Found: \(Markup.escape(verdict.evidence)).</span>"))
    }

    /// Every claim in a line, with the way to its section.
    mutating func overview(_ claims: [(section: String, claim: String, verdict: Verdict)]) {
        let lines = claims.map { section, claim, verdict in
            Markup.element(
                "li", ["class": verdict.kind.style],
                verdict.kind.mark + " "
                    + Markup.element("a", ["href": "#\(section)"], Markup.escape(claim)))
        }
        parts.append(Markup.element("ul", ["class": "overview"], lines.joined()))
    }

    mutating func html(_ html: String) { parts.append(html) }

    /// Charts side by side where there is room.
    mutating func charts(_ charts: [Chart]) {
        let figures = charts.map { chart in
            Markup.element(
                "figure", [:],
                Markup.element(
                    "figcaption", [:],
                    Markup.escape(chart.title)
                        + chart.bands.map { "<span>\(Markup.escape($0))</span>" }.joined())
                    + chart.svg
                    + "<details><summary>Data</summary>\(chart.table.html)</details>")
        }
        parts.append(Markup.element("div", ["class": "charts"], figures.joined()))
    }

    var text: String {
        let links = contents.map {
            "<li>" + Markup.element("a", ["href": "#\($0.id)"], Markup.escape($0.title)) + "</li>"
        }
        let navigation =
            contents.count < 3
            ? "" : "<nav aria-label=\"Contents\"><ul>\(links.joined())</ul></nav>"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Markup.escape(title))</title>
            <style>\(ReportStyle.css)</style>
            </head>
            <body>
            <main>
            <h1>\(Markup.escape(title))</h1>
            \(navigation)
            \(parts.joined(separator: "\n"))
            </main>
            </body>
            </html>

            """
    }
}

extension Verdict.Kind {
    /// A class of the page's style.
    fileprivate var style: String { rawValue.split(separator: " ").joined(separator: "-") }

    /// In words, and by a sign that differs as well.
    fileprivate var mark: String {
        let sign =
            switch self {
            case .confirmed: "✓"
            case .notConfirmed: "✗"
            case .inconclusive: "?"
            }
        return "<strong>\(sign) \(Markup.escape(rawValue))</strong>"
    }
}
