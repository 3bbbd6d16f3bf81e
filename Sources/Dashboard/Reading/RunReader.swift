import Lab
import Training

/// Reads the files of one run for those who look at its charts.
package actor RunReader {
    /// So much is read at a time, so that something of a large run is to be seen at once.
    private static let budget = 8 << 20

    private let location: RunLocation
    private let folder: ConfinedFolder
    private var series = RunSeries()
    private var looks = RunLooks()

    init(_ location: RunLocation, in folder: ConfinedFolder) {
        (self.location, self.folder) = (location, folder)
    }

    /// The numbers over the steps.
    package func readSeries(revision: Int) -> SeriesAnswer {
        let hasMore = series.read(location, in: folder, budget: Self.budget)
        return SeriesAnswer(
            id: location.id, revision: revision, isComplete: !hasMore,
            series: series.series.mapValues { SeriesAnswer.Points($0) })
    }

    /// What the layers give.
    package func readLayers(revision: Int) -> LayersAnswer {
        let hasMore =
            location.statistics.map { looks.read($0, in: folder, budget: Self.budget) } ?? false
        return LayersAnswer(
            id: location.id, revision: revision, isComplete: !hasMore, looks: looks.all)
    }

    /// The distribution of one layer's outputs.
    package func readLayer(_ index: Int) -> LayerAnswer? {
        LayerAnswer(index, looks: looks.all)
    }
}
