/// Draws groups of bars with their spread.
struct BarDrawing {
    private let chart: Chart.Bars

    init(_ chart: Chart.Bars) { self.chart = chart }

    /// Lying bars: names of any length stand in front of them.
    func svg(_ whole: Chart) -> String {
        var drawing = Drawing()
        let longest = chart.categories.map(Drawing.textWidth).max() ?? 0
        drawing.left = min(max(longest + 14, 40), 170)
        drawing.legend(chart.series.map(\.name), areas: true)
        // Room for the number behind the longest bar.
        drawing.right -= 40
        let bars = chart.series.flatMap { $0.values.compactMap { $0 } }
        let scale = AxisScale(
            chart.yScale,
            values: bars.flatMap { bar in
                [bar.value] + (bar.range.map { [$0.lowerBound, $0.upperBound] } ?? [])
            }, includes: chart.yScale == .linear ? [0] : [])
        let thickness = chart.series.count > 1 ? 14.0 : 16.0
        let gap = 8.0
        let group = thickness * Double(chart.series.count) + gap
        drawing.bottom = drawing.top + group * Double(chart.categories.count) + 4
        drawing.xAxis(scale, chart.yLabel)
        func place(_ value: Double) -> Double {
            let position = scale.position(value) ?? (value > 0 ? 1 : 0)
            return drawing.left + position * (drawing.right - drawing.left)
        }
        let base = scale.kind == .linear ? place(0) : drawing.left
        for (index, category) in chart.categories.enumerated() {
            let start = drawing.top + group * Double(index) + gap / 2
            let middle = start + (group - gap) / 2
            drawing.text(Self.shortened(category), drawing.left - 6, middle + 4, anchor: "end")
            for (series, values) in chart.series.enumerated() {
                let y = start + thickness * Double(series)
                guard let bar = values.values[index] else {
                    drawing.text("–", base + 4, y + thickness / 2 + 4, anchor: "start")
                    continue
                }
                let end = place(bar.value)
                drawing.rectangle(
                    min(base, end), y + 1, max(abs(end - base), 1), thickness - 2,
                    "f\(series % Drawing.styleCount)")
                let reach = max(base, end, bar.range.map { place($0.upperBound) } ?? end)
                drawing.text(
                    NumberText.short(bar.value, digits: 3), reach + 4, y + thickness / 2 + 4,
                    anchor: "start", style: "small")
                if let range = bar.range, range.upperBound > range.lowerBound {
                    let (low, high) = (place(range.lowerBound), place(range.upperBound))
                    let centre = y + thickness / 2
                    drawing.line(low, centre, high, centre, "whisker")
                    drawing.line(low, centre - 3, low, centre + 3, "whisker")
                    drawing.line(high, centre - 3, high, centre + 3, "whisker")
                }
            }
        }
        drawing.line(base, drawing.top, base, drawing.bottom, "axis")
        return drawing.svg(whole, height: drawing.bottom + 48)
    }

    private static func shortened(_ text: String) -> String {
        text.count <= 22 ? text : text.prefix(21) + "…"
    }
}
