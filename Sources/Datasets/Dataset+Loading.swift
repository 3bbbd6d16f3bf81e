import Arrays
import Interchange

/// Data whose samples are decoded in the background while a model is trained on those that are there.
///
/// A sample whose file turns out to be damaged holds another one of its class, so that nothing undefined is
/// ever seen, and is left out of the batches it would be in: of all epochs alike, whenever it is found.
extension Dataset {
    /// The same samples, of which none is there yet.
    ///
    /// - Parameter decode: writes the sample to its place in the features' memory.
    func loading(threads: Int, _ decode: @escaping SampleLoader.Decode) -> Dataset {
        withLoader(SampleLoader(count: count, threads: threads, decode: decode))
    }

    /// Begins to decode, where that is to be done, in the order in which samples are going to be needed.
    package func beginLoading(order: some Sequence<Int>) { loader?.begin(order: order) }

    /// Whether samples may not be there yet.
    package var isLoading: Bool { loader != nil }

    /// Waits for samples.
    package func require(_ samples: some Sequence<Int>) { loader?.require(samples) }

    /// Waits for the samples of a batch, and leaves out those that cannot be read.
    ///
    /// - Parameter indices: Int32 `[samples]`.
    package func readable(_ indices: NDArray) -> NDArray {
        guard let loader else { return indices }
        let samples = indices.elements(as: Int32.self)
        loader.require(samples.map(Int.init))
        let good = samples.filter { loader.failure(Int($0)) == nil }
        return good.count == samples.count ? indices : NDArray(good)
    }

    /// The files that turned out to be damaged so far, in the order of samples.
    public var unreadable: [FileError] { loader?.failures ?? [] }
}
