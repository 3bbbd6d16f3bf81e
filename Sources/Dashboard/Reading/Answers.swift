import Training

/// The numbers of a run over its steps, as pages get them.
package struct SeriesAnswer: Encodable, Sendable {
    var id: String
    var revision: Int
    /// False while there is more of its files to read: ask again.
    package var isComplete: Bool
    package var series: [String: Points]

    /// Columns of equal length, a row for each interval. See ``BucketedSeries``.
    package struct Points: Encodable, Sendable {
        package var step: [Int]
        /// Of training; missing where they are not known.
        package var seconds: [Float?]
        package var mean: [Float]
        package var low: [Float]
        package var high: [Float]
        var notFinite: Int

        init(_ series: BucketedSeries) {
            let buckets = series.buckets
            step = buckets.map(\.step)
            seconds = buckets.map { $0.seconds.isFinite ? Float($0.seconds) : nil }
            mean = buckets.map { Float($0.mean) }
            low = buckets.map { Float($0.low) }
            high = buckets.map { Float($0.high) }
            notFinite = series.notFiniteCount
        }
    }
}

/// The layers of a run, at each look: how far outputs deviate, and norms of gradients.
package struct LayersAnswer: Encodable, Sendable {
    var id: String
    var revision: Int
    var isComplete: Bool
    package var steps: [Int]
    package var layers: [Row]
    var gradients: [Row]
    /// How far running statistics are from the batches', in deviations.
    var gaps: [Row]

    package struct Row: Encodable, Sendable {
        var name: String
        var kind: String?
        /// At each look; missing where it is not known.
        package var values: [Float?]
    }

    init(id: String, revision: Int, isComplete: Bool, looks: [StepStatistics]) {
        (self.id, self.revision, self.isComplete) = (id, revision, isComplete)
        steps = looks.map(\.step)
        func values<Part>(
            _ parts: KeyPath<StepStatistics, [Part]>, _ index: Int, _ value: (Part) -> Double
        ) -> [Float?] {
            looks.map { look in
                let parts = look[keyPath: parts]
                guard index < parts.count else { return nil }
                let number = Float(value(parts[index]))
                return number.isFinite ? number : nil
            }
        }
        let first = looks.first
        layers = (first?.layers ?? []).enumerated().map { index, layer in
            Row(
                name: layer.name, kind: layer.kind,
                values: values(\.layers, index) { Double($0.deviation) })
        }
        gradients = (first?.parameters ?? []).enumerated().map { index, parameter in
            Row(
                name: parameter.name, kind: nil,
                values: values(\.parameters, index, \.gradientNorm))
        }
        gaps = (first?.norms ?? []).enumerated().map { index, norm in
            Row(name: norm.name, kind: nil, values: values(\.norms, index, \.meanGap))
        }
    }
}

/// The distribution of a layer's outputs over the looks.
package struct LayerAnswer: Encodable, Sendable {
    var name: String
    var kind: String
    /// In percent.
    var levels = StepStatistics.percentileLevels
    package var steps: [Int] = []
    /// At each look, for each level; missing where it is not finite.
    package var percentiles: [[Float?]] = []

    init?(_ index: Int, looks: [StepStatistics]) {
        guard let first = looks.first, first.layers.indices.contains(index) else { return nil }
        (name, kind) = (first.layers[index].name, first.layers[index].kind)
        for look in looks where index < look.layers.count {
            let values = look.layers[index].percentiles
            guard values.count == levels.count else { continue }
            steps.append(look.step)
            percentiles.append(values.map { $0.isFinite ? $0 : nil })
        }
    }
}
