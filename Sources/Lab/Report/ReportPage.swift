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
        let style = verdict.kind.rawValue.split(separator: " ").joined(separator: "-")
        let sign =
            switch verdict.kind {
            case .confirmed: "✓"
            case .notConfirmed: "✗"
            case .inconclusive: "?"
            }
        parts.append(
            Markup.element(
                "p", ["class": "verdict \(style)"],
                "<strong>\(sign) \(Markup.escape(verdict.kind.rawValue))</strong> "
                    + "\(Markup.escape(claim)) <span>Found: \(Markup.escape(verdict.evidence)).</span>"
            ))
    }

    mutating func table(_ table: DataTable) { parts.append(table.html) }

    mutating func html(_ html: String) { parts.append(html) }

    /// Charts side by side where there is room.
    mutating func charts(_ charts: [Chart]) {
        let figures = charts.map { chart in
            Markup.element(
                "figure", [:],
                Markup.element("figcaption", [:], Markup.escape(chart.title)) + chart.svg
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
