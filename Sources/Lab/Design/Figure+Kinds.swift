extension Figure {
    /// A series over the steps, a line for each level of an axis, with the range of the seeds around it.
    ///
    /// - Parameter levels: which entries; all by default.
    package static func curves(
        _ title: String, _ series: String, y: String, x: String = "step", lines: String,
        at levels: [String: String] = [:], xScale: AxisScale.Kind = .linear,
        yScale: AxisScale.Kind = .linear
    ) -> Figure {
        Figure { results in
            let lines = results.at(levels).entries.compactMap { entry -> Chart.Line? in
                let points = entry.points(series)
                return points.isEmpty ? nil : Chart.Line(entry.level(lines).label, points)
            }
            guard !lines.isEmpty else { return [] }
            var content = Chart.Lines(x: x, y: y, lines)
            (content.xScale, content.yScale) = (xScale, yScale)
            content.bandLabel = "range over seeds"
            return [Chart(title, summary: describe(content), .lines(content))]
        }
    }

    /// The same, in a chart for each level of one more axis.
    static func curvesPerLevel(
        _ axis: String, _ title: String, _ series: String, y: String, x: String = "step",
        lines: String, yScale: AxisScale.Kind = .linear
    ) -> Figure {
        Figure { results in
            results.levels(axis).flatMap { level in
                Figure.curves(
                    "\(title): \(level.label)", series, y: y, x: x, lines: lines,
                    at: [axis: level.label], yScale: yScale
                ).draw(results)
            }
        }
    }

    /// A number over a numeric axis, a line for each level of another one.
    static func sweep(
        _ title: String, _ scalar: String, y: String, over axis: String, lines: String,
        at levels: [String: String] = [:], xScale: AxisScale.Kind = .logarithmic,
        yScale: AxisScale.Kind = .linear
    ) -> Figure {
        Figure { results in
            let chosen = results.at(levels)
            let all = chosen.levels(lines).compactMap { level -> Chart.Line? in
                let points = chosen.at([lines: level.label]).entries.compactMap {
                    entry -> Chart.Point? in
                    guard let x = entry.level(axis).number else { return nil }
                    return entry.summary(scalar).map { Chart.Point(x, $0.mean, bands: [$0.range]) }
                }
                return points.isEmpty
                    ? nil : Chart.Line(level.label, points.sorted { $0.x < $1.x })
            }
            guard !all.isEmpty else { return [] }
            var content = Chart.Lines(x: axis, y: y, all)
            (content.xScale, content.yScale) = (xScale, yScale)
            content.bandLabel = "range over seeds"
            return [Chart(title, summary: describe(content), .lines(content))]
        }
    }

    /// Numbers in cells, the mean over seeds.
    static func heatMap(
        _ title: String, _ scalar: String, label: String, x: String, y: String,
        at levels: [String: String] = [:]
    ) -> Figure {
        Figure { results in
            let chosen = results.at(levels)
            let (columns, rows) = (chosen.levels(x), chosen.levels(y))
            guard !columns.isEmpty, !rows.isEmpty else { return [] }
            let values = rows.map { row in
                columns.map { column in
                    chosen.at([x: column.label, y: row.label]).entries.first?
                        .summary(scalar)?.mean
                }
            }
            guard values.contains(where: { $0.contains { $0 != nil } }) else { return [] }
            let map = Chart.HeatMap(
                x: x, y: y, columns: columns.map(\.label), rows: rows.map(\.label), values: values,
                valueLabel: label)
            return [
                Chart(title, summary: "\(label) for each \(y) and \(x).", .heatMap(map))
            ]
        }
    }

    /// A bar for each level of an axis; one of each group for each level of another axis.
    package static func bars(
        _ title: String, _ scalar: String, y: String, over axis: String, groups: String? = nil,
        at levels: [String: String] = [:], yScale: AxisScale.Kind = .linear
    ) -> Figure {
        Figure { results in
            let chosen = results.at(levels)
            let categories = chosen.levels(axis)
            let names = groups.map { chosen.levels($0) } ?? [Level("")]
            let series = names.map { name in
                Chart.Bars.Series(
                    name: name.label,
                    values: categories.map { category in
                        var place = [axis: category.label]
                        if let groups { place[groups] = name.label }
                        return chosen.at(place).entries.first?.summary(scalar).map {
                            Chart.Bars.Bar(value: $0.mean, range: $0.range)
                        }
                    })
            }
            guard series.contains(where: { $0.values.contains { $0 != nil } }) else { return [] }
            var content = Chart.Bars(categories.map(\.label), y: y, series)
            content.yScale = yScale
            return [
                Chart(
                    title, summary: "\(y) for each \(axis); whiskers are the range over seeds.",
                    .bars(content))
            ]
        }
    }

    /// Three percentiles of a distribution over the steps, a chart for each level of an axis; of the first
    /// seed.
    static func percentiles(
        _ title: String, _ names: (low: String, middle: String, high: String), y: String,
        charts axis: String
    ) -> Figure {
        Figure { results in
            results.entries.compactMap { entry in
                guard let outcome = entry.outcomes.min(by: { $0.key < $1.key })?.value,
                    let low = outcome.series[names.low], let middle = outcome.series[names.middle],
                    let high = outcome.series[names.high]
                else { return nil }
                let points = middle.x.indices.compactMap { index -> Chart.Point? in
                    guard index < low.y.count, index < high.y.count, low.y[index] <= high.y[index]
                    else { return nil }
                    return Chart.Point(
                        middle.x[index], middle.y[index], bands: [low.y[index]...high.y[index]])
                }
                let label = entry.level(axis).label
                var content = Chart.Lines(x: "step", y: y, [Chart.Line(label, points)])
                content.bandLabel = "15th to 85th percentile"
                return Chart(
                    "\(title): \(label)",
                    summary: "The median, and a band from the 15th to the 85th percentile.",
                    .lines(content))
            }
        }
    }

    private static func describe(_ chart: Chart.Lines) -> String {
        let ends = chart.lines.compactMap { line in
            line.points.last.map { "\(line.name) ends at \(NumberText.short($0.y, digits: 3))" }
        }
        return "\(chart.yLabel) over \(chart.xLabel): \(ends.prefix(8).joined(separator: ", "))."
    }
}

extension Results.Entry {
    /// Mean and range of a number over the seeds; nil when a seed has none that is finite.
    func summary(_ scalar: String) -> (mean: Double, range: ClosedRange<Double>)? {
        Self.summary(scalars(scalar))
    }

    /// A series, where all seeds have it.
    func points(_ name: String) -> [Chart.Point] {
        let all = outcomes.values.compactMap { $0.series[name] }
        guard let first = all.max(by: { $0.x.count < $1.x.count }) else { return [] }
        return first.x.indices.compactMap { index in
            let values = all.compactMap { series in
                index < series.x.count && series.x[index] == first.x[index]
                    ? series.y[index] : nil
            }
            return Self.summary(values).map {
                Chart.Point(first.x[index], $0.mean, bands: values.count > 1 ? [$0.range] : [])
            }
        }
    }

    private static func summary(_ values: [Double]) -> (mean: Double, range: ClosedRange<Double>)? {
        let finite = values.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else { return nil }
        return (finite.reduce(0, +) / Double(finite.count), low...high)
    }
}
