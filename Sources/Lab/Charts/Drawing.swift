/// What the kinds of charts share: the canvas, axes with numbers, and the legend.
struct Drawing {
    /// In the units of the picture: so wide that text of 13 is readable on a telephone's screen.
    static let width = 420.0
    static let height = 300.0
    static let fontSize = 13.0
    /// So many colours, dashes and marks there are; more series begin again.
    static let styleCount = 8

    var left = 68.0
    var right = 410.0
    var top = 12.0
    var bottom = 252.0
    private(set) var parts: [String] = []

    /// About as wide as the text will be.
    static func textWidth(_ text: String) -> Double { Double(text.count) * fontSize * 0.56 }

    static func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }

    mutating func add(
        _ name: String, _ attributes: KeyValuePairs<String, String>, _ content: String = ""
    ) {
        parts.append(Markup.element(name, attributes, content))
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
        add(
            "line",
            [
                "x1": Self.number(x1), "y1": Self.number(y1), "x2": Self.number(x2),
                "y2": Self.number(y2), "class": style,
            ])
    }

    mutating func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String
    ) {
        add(
            "rect",
            [
                "x": Self.number(x), "y": Self.number(y), "width": Self.number(width),
                "height": Self.number(height), "class": style,
            ])
    }

    mutating func text(
        _ text: String, _ x: Double, _ y: Double, anchor: String = "middle", style: String = ""
    ) {
        add(
            "text",
            [
                "x": Self.number(x), "y": Self.number(y), "text-anchor": anchor, "class": style,
            ], Markup.escape(text))
    }

    /// The names of the series above the plot, behind their lines or in the colours of their areas; makes
    /// room for them.
    mutating func legend(_ names: [String], areas: Bool = false) {
        guard names.count > 1 || names.first?.isEmpty == false else { return }
        var (x, y) = (left, top + 8)
        for (index, name) in names.enumerated() {
            let width = 30 + Self.textWidth(name)
            if x + width > right, x > left { (x, y) = (left, y + 18) }
            if areas {
                rectangle(x + 6, y - 10, 12, 12, "f\(index % Self.styleCount)")
            } else {
                line(x, y - 4, x + 20, y - 4, "s\(index % Self.styleCount)")
                mark(index, x + 10, y - 4)
            }
            text(name, x + 25, y, anchor: "start")
            x += width + 8
        }
        top = y + 12
    }

    /// Vertical axis: lines across the plot, numbers, and what they are.
    mutating func yAxis(_ scale: AxisScale, _ label: String) {
        for tick in scale.ticks {
            guard let place = scale.position(tick), (-0.001...1.001).contains(place) else {
                continue
            }
            let y = bottom - place * (bottom - top)
            line(left, y, right, y, "grid")
            text(NumberText.tick(tick), left - 6, y + 4, anchor: "end")
        }
        let middle = (top + bottom) / 2
        add(
            "text",
            [
                "x": "14", "y": Self.number(middle), "text-anchor": "middle",
                "transform": "rotate(-90 14 \(Self.number(middle)))", "class": "label",
            ], Markup.escape(label))
    }

    /// Horizontal axis with numbers.
    mutating func xAxis(_ scale: AxisScale, _ label: String) {
        line(left, bottom, right, bottom, "axis")
        var free = -Double.infinity
        for tick in scale.ticks {
            guard let place = scale.position(tick), (-0.001...1.001).contains(place) else {
                continue
            }
            let x = left + place * (right - left)
            line(x, bottom, x, bottom + 4, "axis")
            let number = NumberText.tick(tick)
            let half = Self.textWidth(number) / 2
            if x - half > free {
                text(number, min(x, Self.width - half - 2), bottom + 18)
                free = x + half + 4
            }
        }
        text(label, (left + right) / 2, bottom + 38, style: "label")
    }

    /// The mark of a series: its shape differs as well as its colour.
    mutating func mark(_ series: Int, _ x: Double, _ y: Double) {
        let style = "m\(series % Self.styleCount)"
        func points(_ offsets: [(Double, Double)]) -> String {
            offsets.map { "\(Self.number(x + $0.0)),\(Self.number(y + $0.1))" }
                .joined(separator: " ")
        }
        switch series % 4 {
        case 0:
            add("circle", ["cx": Self.number(x), "cy": Self.number(y), "r": "3.2", "class": style])
        case 1:
            add(
                "polygon",
                ["points": points([(-3, -3), (3, -3), (3, 3), (-3, 3)]), "class": style])
        case 2: add("polygon", ["points": points([(0, -4), (4, 3), (-4, 3)]), "class": style])
        default:
            add(
                "polygon",
                ["points": points([(0, -4.2), (4.2, 0), (0, 4.2), (-4.2, 0)]), "class": style])
        }
    }

    /// The whole picture, with its title and description for those who listen.
    func svg(_ chart: Chart, height: Double = Drawing.height) -> String {
        Markup.element(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "role": "img",
                "viewBox": "0 0 \(Self.number(Self.width)) \(Self.number(height))",
                "aria-label": "\(chart.title). \(chart.summary)",
            ],
            Markup.element("title", [:], Markup.escape(chart.title))
                + Markup.element("desc", [:], Markup.escape(chart.summary)) + parts.joined())
    }
}
