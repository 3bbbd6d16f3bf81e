import Foundation
import Training

/// The charts of a training run.
struct RunCharts {
    let epochs: [RunReport.EpochLine]
    let statistics: [StepStatistics]

    /// Networks of more layers than this get heat maps only.
    private static let maximumLayerCharts = 16

    var training: [Chart] {
        let loss = [
            Chart.Line("batch, while training", statistics.map { point($0, $0.loss) }),
            Chart.Line("epoch, while training", epochs.compactMap { point($0, $0.trainLoss) }),
            Chart.Line("test data", epochs.compactMap { point($0, $0.testLoss) }),
        ]
        let accuracy = [Chart.Line("test data", epochs.compactMap { point($0, $0.testAccuracy) })]
        let rate = [Chart.Line("", statistics.map { point($0, $0.learningRate) })]
        return chart("Loss", "loss", loss) + chart("Accuracy", "accuracy", accuracy)
            + chart("Learning rate", "learning rate", rate, includes: [0])
    }

    var speed: [Chart] {
        let throughput = statistics.filter { $0.samplesPerSecond > 0 }.map {
            point($0, $0.samplesPerSecond)
        }
        let memory = statistics.map { point($0, Double($0.memoryBytes) / 1e6) }
        return chart("Throughput", "samples/s", [Chart.Line("", throughput)], includes: [0])
            + chart("Memory", "megabytes", [Chart.Line("", memory)], includes: [0])
    }

    /// The distribution of each layer's outputs over the steps: the median in bands from the 25th to the
    /// 75th and from the 5th to the 95th percentile.
    var layers: [Chart] {
        let names = statistics.first?.layers.map { ($0.name, $0.kind) } ?? []
        let map = heatMap(
            "Deviation of each layer's outputs", "deviation", rows: names.map { "\($0.0) \($0.1)" }
        ) { statistics, row in
            row < statistics.layers.count ? Double(statistics.layers[row].deviation) : nil
        }
        let levels = StepStatistics.percentileLevels
        func at(_ level: Int, _ layer: StepStatistics.Layer) -> Double? {
            guard let index = levels.firstIndex(of: level), index < layer.percentiles.count else {
                return nil
            }
            let value = Double(layer.percentiles[index])
            return value.isFinite ? value : nil
        }
        let charts = names.prefix(Self.maximumLayerCharts).enumerated().flatMap { row, name in
            let points = statistics.compactMap { statistics -> Chart.Point? in
                guard row < statistics.layers.count else { return nil }
                let layer = statistics.layers[row]
                guard let low = at(5, layer), let lower = at(25, layer), let middle = at(50, layer),
                    let upper = at(75, layer), let high = at(95, layer)
                else { return nil }
                return Chart.Point(
                    Double(statistics.step), middle, bands: [low...high, lower...upper])
            }
            return chart(
                "\(name.0) \(name.1)", "output", [Chart.Line("", points)],
                bands: "from the 5th to the 95th, and from the 25th to the 75th percentile")
        }
        return map + charts
    }

    var norms: [Chart] {
        let names = statistics.first?.norms.map(\.name) ?? []
        func lines(_ value: (StepStatistics.Norm) -> Double?) -> [Chart.Line] {
            names.prefix(8).enumerated().map { row, name in
                Chart.Line(
                    name,
                    statistics.compactMap { statistics in
                        guard row < statistics.norms.count else { return nil }
                        return value(statistics.norms[row]).map { point(statistics, $0) }
                    })
            }
        }
        let gaps =
            chart(
                "Running mean from the batch's", "deviations",
                lines { $0.runningMean.isEmpty ? nil : $0.meanGap }, includes: [0])
            + chart(
                "Running variance from the batch's", "|ln of the ratio|", lines(\.varianceGap),
                includes: [0])
        return gaps
            + names.prefix(4).enumerated().flatMap { row, name in
                channel(
                    row, "\(name): mean of the first channel", \.runningMean, \.batchMean)
                    + channel(
                        row, "\(name): variance of the first channel", \.runningVariance,
                        \.batchVariance)
            }
    }

    private func channel(
        _ row: Int, _ title: String, _ running: KeyPath<StepStatistics.Norm, [Float]>,
        _ batch: KeyPath<StepStatistics.Norm, [Float]>
    ) -> [Chart] {
        func line(_ name: String, _ path: KeyPath<StepStatistics.Norm, [Float]>) -> Chart.Line {
            Chart.Line(
                name,
                statistics.compactMap {
                    guard row < $0.norms.count, let value = $0.norms[row][keyPath: path].first
                    else { return nil }
                    return point($0, Double(value))
                })
        }
        return chart(title, "value", [line("batch", batch), line("running", running)])
    }

    var gradients: [Chart] {
        let names = statistics.first?.parameters.map(\.name) ?? []
        let weights = names.enumerated().filter { $0.element.hasSuffix("weight") }.prefix(8)
        func lines(_ value: (StepStatistics.Parameter) -> Double) -> [Chart.Line] {
            weights.map { row, name in
                Chart.Line(
                    name,
                    statistics.compactMap {
                        row < $0.parameters.count ? point($0, value($0.parameters[row])) : nil
                    })
            }
        }
        return chart(
            "Gradient norms", "norm of the gradient", lines(\.gradientNorm), scale: .logarithmic)
            + chart("Weight norms", "norm", lines(\.norm), scale: .logarithmic)
            + heatMap("All gradients, as powers of ten", "log10 of the norm", rows: names) {
                guard $1 < $0.parameters.count, $0.parameters[$1].gradientNorm > 0 else {
                    return nil
                }
                return log10($0.parameters[$1].gradientNorm)
            }
    }

    // MARK: - Making charts

    private func point(_ statistics: StepStatistics, _ value: Double) -> Chart.Point {
        Chart.Point(Double(statistics.step), value)
    }

    private func point(_ epoch: RunReport.EpochLine, _ value: Double?) -> Chart.Point? {
        value.map { Chart.Point(Double(epoch.step), $0) }
    }

    private func chart(
        _ title: String, _ y: String, _ lines: [Chart.Line], includes: [Double] = [],
        scale: AxisScale.Kind = .linear, bands: String = ""
    ) -> [Chart] {
        let lines = lines.filter { !$0.points.isEmpty }
        guard !lines.isEmpty else { return [] }
        var content = Chart.Lines(x: "step", y: y, lines)
        content.yIncludes = includes
        content.bandLabel = bands
        content.yScale = scale
        let ends = lines.compactMap { line in
            line.points.last.map {
                (line.name.isEmpty ? "it" : line.name) + " ends at "
                    + NumberText.short($0.y, digits: 3)
            }
        }
        return [
            Chart(
                title, summary: "\(y) over the steps: \(ends.joined(separator: ", ")).",
                .lines(content))
        ]
    }

    /// A row for each name, a column for each of at most 24 looks.
    private func heatMap(
        _ title: String, _ label: String, rows: [String],
        _ value: (StepStatistics, Int) -> Double?
    ) -> [Chart] {
        guard rows.count > 1, statistics.count > 1 else { return [] }
        let every = (statistics.count - 1) / 24 + 1
        let columns = statistics.enumerated().filter { $0.offset % every == 0 }.map(\.element)
        let map = Chart.HeatMap(
            x: "step", y: "", columns: columns.map { "\($0.step)" }, rows: rows,
            values: rows.indices.map { row in columns.map { value($0, row) } }, valueLabel: label)
        return [Chart(title, summary: "\(label) for each row and step.", .heatMap(map))]
    }
}
