import EvenKeel

/// The model of a run folder with its values, and the data it was made for.
struct TrainedModel {
    let configuration: RunConfiguration
    let model: Module
    let train: Dataset
    let test: Dataset
    /// The test data as it was read, images in their shape.
    let images: Dataset

    init(_ folder: RunFolder, data: String? = nil) throws {
        configuration = try folder.readConfiguration()
        let parts = try TrainingRun.load(data ?? configuration.data)
        images = parts.test
        train = try configuration.prepare(parts.train)
        test = try configuration.prepare(parts.test)
        model = try configuration.makeModel(train)
        try model.read(from: folder.model)
    }
}
