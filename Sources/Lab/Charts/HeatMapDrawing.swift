/// Draws cells in colours from dark blue to yellow, which the colour-blind tell apart as well, with numbers in
/// them where there is room.
struct HeatMapDrawing {
    private let chart: Chart.HeatMap

    init(_ chart: Chart.HeatMap) { self.chart = chart }

    func svg(_ whole: Chart) -> String {
        var drawing = Drawing()
        let longest = chart.rows.map(Drawing.textWidth).max() ?? 0
        drawing.left = min(max(longest + 34, 50), 180)
        let values = chart.values.flatMap { $0.compactMap { $0 } }.filter(\.isFinite)
        let (low, high) = (values.min() ?? 0, values.max() ?? 1)
        drawing.top = 12
        let cellWidth = (drawing.right - drawing.left) / Double(max(chart.columns.count, 1))
        let cellHeight = min(max(200 / Double(max(chart.rows.count, 1)), 11), 32)
        drawing.bottom = drawing.top + cellHeight * Double(chart.rows.count)
        // Three digits where there is room for them, or two smaller ones.
        let sizes = [(digits: 3, share: 1.0, style: ""), (digits: 2, share: 0.85, style: " small")]
        let size = sizes.first { size in
            cellHeight >= 15
                && values.allSatisfy {
                    Drawing.textWidth(NumberText.short($0, digits: size.digits)) * size.share
                        < cellWidth - 2
                }
        }
        for (row, name) in chart.rows.enumerated() {
            let y = drawing.top + cellHeight * Double(row)
            let every = cellHeight < 14 ? 2 : 1
            if row % every == 0 {
                drawing.text(name, drawing.left - 5, y + cellHeight / 2 + 4, anchor: "end")
            }
            for (column, value) in chart.values[row].enumerated() {
                let x = drawing.left + cellWidth * Double(column)
                let share = value.flatMap {
                    $0.isFinite ? (high > low ? ($0 - low) / (high - low) : 0.5) : nil
                }
                drawing.add(
                    "rect",
                    [
                        "x": Drawing.number(x), "y": Drawing.number(y),
                        "width": Drawing.number(cellWidth + 0.2),
                        "height": Drawing.number(cellHeight + 0.2),
                        "fill": share.map(Self.colour) ?? "none",
                    ],
                    Markup.element(
                        "title", [:],
                        Markup.escape(
                            "\(name), \(chart.columns[column]): "
                                + (value.map { NumberText.short($0) } ?? "nothing"))))
                if let size, let value, let share {
                    drawing.text(
                        NumberText.short(value, digits: size.digits), x + cellWidth / 2,
                        y + cellHeight / 2 + 4,
                        style: (share > 0.55 ? "onlight" : "ondark") + size.style)
                }
            }
        }
        labels(&drawing, cellWidth)
        key(&drawing, low, high)
        return drawing.svg(whole, height: drawing.bottom + 84)
    }

    private func labels(_ drawing: inout Drawing, _ cellWidth: Double) {
        // One in so many, at equal distances, so that none touches the next.
        let halves = chart.columns.map { Drawing.textWidth($0) / 2 }
        let every =
            (1...max(halves.count, 1)).first { every in
                let shown = stride(from: 0, to: halves.count, by: every).map { halves[$0] }
                return zip(shown, shown.dropFirst()).allSatisfy {
                    $0 + $1 + 5 < cellWidth * Double(every)
                }
            } ?? 1
        for (column, name) in chart.columns.enumerated() where column % every == 0 {
            let x = drawing.left + cellWidth * (Double(column) + 0.5)
            let half = Drawing.textWidth(name) / 2
            drawing.text(name, min(x, Drawing.width - half - 1), drawing.bottom + 16)
        }
        drawing.text(
            chart.xLabel, (drawing.left + drawing.right) / 2, drawing.bottom + 36, style: "label")
        let middle = (drawing.top + drawing.bottom) / 2
        drawing.add(
            "text",
            [
                "x": "14", "y": Drawing.number(middle), "text-anchor": "middle",
                "transform": "rotate(-90 14 \(Drawing.number(middle)))", "class": "label",
            ], Markup.escape(chart.yLabel))
    }

    /// What the colours mean.
    private func key(_ drawing: inout Drawing, _ low: Double, _ high: Double) {
        let y = drawing.bottom + 50
        let steps = 24
        let (start, width) = (drawing.left + 60, drawing.right - drawing.left - 120)
        for step in 0..<steps {
            drawing.add(
                "rect",
                [
                    "x": Drawing.number(start + width * Double(step) / Double(steps)),
                    "y": Drawing.number(y), "width": Drawing.number(width / Double(steps) + 0.4),
                    "height": "10", "fill": Self.colour(Double(step) / Double(steps - 1)),
                ])
        }
        drawing.text(NumberText.short(low, digits: 3), start - 6, y + 10, anchor: "end")
        drawing.text(NumberText.short(high, digits: 3), start + width + 6, y + 10, anchor: "start")
        drawing.text(chart.valueLabel, start + width / 2, y + 26, style: "label")
    }

    /// Between dark blue, grey and yellow, in even steps of lightness.
    static func colour(_ share: Double) -> String {
        let anchors: [(Double, Double, Double)] = [
            (0, 34, 78), (53, 69, 108), (102, 105, 112), (148, 142, 119), (201, 183, 95),
            (254, 232, 56),
        ]
        let place = min(max(share, 0), 1) * Double(anchors.count - 1)
        let index = min(Int(place), anchors.count - 2)
        let part = place - Double(index)
        let (a, b) = (anchors[index], anchors[index + 1])
        let channels = [
            a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part, a.2 + (b.2 - a.2) * part,
        ]
        return "rgb(" + channels.map { "\(Int($0.rounded()))" }.joined(separator: ",") + ")"
    }
}
