/// Draws lines with their bands.
struct LineDrawing {
    private let chart: Chart.Lines

    init(_ chart: Chart.Lines) { self.chart = chart }

    func svg(_ whole: Chart) -> String {
        var drawing = Drawing()
        drawing.legend(chart.lines.map(\.name))
        let points = chart.lines.flatMap(\.points)
        let x = AxisScale(chart.xScale, values: points.map(\.x), endsAtTicks: false)
        let y = AxisScale(
            chart.yScale,
            values: points.flatMap { point in
                [point.y] + point.bands.flatMap { [$0.lowerBound, $0.upperBound] }
            }, includes: chart.yIncludes)
        drawing.yAxis(y, chart.yLabel)
        drawing.xAxis(x, chart.xLabel)
        func place(_ px: Double, _ py: Double) -> (x: Double, y: Double)? {
            guard let h = x.position(px), let v = y.position(py) else { return nil }
            return (
                drawing.left + h * (drawing.right - drawing.left),
                drawing.bottom - v * (drawing.bottom - drawing.top)
            )
        }
        for (series, line) in chart.lines.enumerated() {
            let points = Downsampling.reduced(line.points)
            for band in 0..<(points.map(\.bands.count).max() ?? 0) {
                let edges = points.compactMap {
                    point -> (low: (x: Double, y: Double), high: (x: Double, y: Double))? in
                    guard band < point.bands.count,
                        let low = place(point.x, max(point.bands[band].lowerBound, lowest(y))),
                        let high = place(point.x, max(point.bands[band].upperBound, lowest(y)))
                    else { return nil }
                    return (low, high)
                }
                guard edges.count > 1 else { continue }
                let outline = edges.map(\.high) + edges.reversed().map(\.low)
                drawing.add(
                    "polygon",
                    [
                        "points": Self.list(outline),
                        "class": "b\(series % Drawing.styleCount)",
                    ])
            }
        }
        for (series, line) in chart.lines.enumerated() {
            let points = Downsampling.reduced(line.points)
            let places = points.map { place($0.x, $0.y) }
            // What has no place (a loss that is not finite) interrupts the line.
            for run in places.split(whereSeparator: { $0 == nil }) where run.count > 1 {
                drawing.add(
                    "polyline",
                    [
                        "points": Self.list(run.compactMap { $0 }),
                        "class": "s\(series % Drawing.styleCount)",
                    ])
            }
            let every = points.count <= 14 ? 1 : points.count / 7
            for (index, point) in places.enumerated() where index % every == series % every {
                if let point { drawing.mark(series, point.x, point.y) }
            }
        }
        return drawing.svg(whole)
    }

    /// Where a band ends that has no place on a logarithmic axis.
    private func lowest(_ scale: AxisScale) -> Double {
        scale.kind == .logarithmic ? scale.range.lowerBound : -.infinity
    }

    private static func list(_ places: [(x: Double, y: Double)]) -> String {
        places.map { "\(Drawing.number($0.x)),\(Drawing.number($0.y))" }.joined(separator: " ")
    }
}

/// Fewer points that look the same.
package enum Downsampling {
    package static let maximumCount = 400

    /// Of every run of points the lowest and the highest, in order; the first and the last stay.
    package static func reduced(
        _ points: [Chart.Point], to count: Int = maximumCount
    ) -> [Chart.Point] {
        guard points.count > count, count >= 4 else { return points }
        let runs = count / 2 - 1
        let inner = points.count - 2
        let kept = (0..<runs).flatMap { run -> [Chart.Point] in
            let range = (1 + run * inner / runs)..<(1 + (run + 1) * inner / runs)
            guard let low = range.min(by: { points[$0].y < points[$1].y }),
                let high = range.max(by: { points[$0].y < points[$1].y })
            else { return [] }
            return Set([low, high]).sorted().map { points[$0] }
        }
        return [points[0]] + kept + [points[points.count - 1]]
    }
}
