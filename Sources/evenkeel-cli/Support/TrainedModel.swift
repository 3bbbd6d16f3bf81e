import EvenKeel

/// The model of a run folder with its values, and the data it was made for.
struct TrainedModel {
    let configuration: RunConfiguration
    let model: Module
    let train: Dataset
    let test: Dataset
    /// The data as it was read, images in their shape.
    let parts: Dataset.Parts

    /// - Parameter concludes: see `TrainingRun.load`.
    init(_ folder: RunFolder, data: String? = nil, concludes: Bool = false) throws {
        configuration = try folder.readConfiguration()
        parts = try TrainingRun.load(
            data ?? configuration.data, imageSize: configuration.imageSize, concludes: concludes)
        train = try configuration.prepare(parts.train, source: folder.configuration)
        test = try configuration.prepare(parts.test, source: folder.configuration)
        model = try configuration.makeModel(train)
        try model.read(from: folder.model)
    }
}
