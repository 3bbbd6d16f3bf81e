import Datasets
import Foundation
import Interchange
import SwiftProtobuf

/// Writes an event file for TensorBoard: numbers, distributions, pictures and texts by tag and step, as the
/// class of that name in PyTorch does.
///
///     let writer = try SummaryWriter("runs/mine")
///     try writer.scalar("loss/train", loss, step: step)
///
/// Tags with the same text before the first `/` stand together. Each call throws `FileError` when the file
/// cannot be written. What was written is seen by a TensorBoard that is looking, and a crash loses nothing
/// of it.
public final class SummaryWriter {
    private let file: EventFile

    /// Begins a new event file in a folder, which is made where there is none.
    ///
    /// - Parameter step: where a training goes on; what earlier files of the folder say of later steps is
    ///   void then. Nil begins something new.
    public init(_ folder: String, resumingAfter step: Int? = nil) throws(FileError) {
        file = try EventFile(folder: folder)
        guard let step else { return }
        var start = Tensorboard_Event()
        start.step = Int64(step) + 1
        start.sessionLog.status = .start
        try file.append(start)
    }

    /// The event file.
    public var path: String { file.path }

    /// Writes a number.
    ///
    /// - Parameter description: shown beside the chart, as Markdown.
    public func scalar(
        _ tag: String, _ value: Double, step: Int, description: String = ""
    ) throws(FileError) {
        try write(tag, description, step) { $0.simpleValue = Float(value) }
    }

    /// Writes a distribution.
    public func histogram(
        _ tag: String, _ histogram: Histogram, step: Int, description: String = ""
    ) throws(FileError) {
        try write(tag, description, step) {
            $0.histo.min = histogram.minimum
            $0.histo.max = histogram.maximum
            $0.histo.num = histogram.count
            $0.histo.sum = histogram.sum
            $0.histo.sumSquares = histogram.sumOfSquares
            $0.histo.bucketLimit = histogram.limits
            $0.histo.bucket = histogram.counts
        }
    }

    /// Writes a picture.
    public func image(
        _ tag: String, _ picture: Picture, step: Int, description: String = ""
    ) throws(FileError) {
        try write(tag, description, step) {
            $0.image.height = Int32(picture.height)
            $0.image.width = Int32(picture.width)
            $0.image.colorspace = Int32(picture.channels)
            $0.image.encodedImageString = Data(picture.png)
        }
    }

    /// Writes a text, as Markdown.
    public func text(
        _ tag: String, _ text: String, step: Int, description: String = ""
    ) throws(FileError) {
        try write(tag, description, step) {
            $0.metadata.pluginData.pluginName = "text"
            $0.tensor.dtype = .dtString
            $0.tensor.tensorShape.dim = [.with { $0.size = 1 }]
            $0.tensor.stringVal = [Data(text.utf8)]
        }
    }

    /// Waits until everything that was written lies on the disk, safe from a power cut too.
    public func synchronize() throws(FileError) { try file.synchronize() }

    private func write(
        _ tag: String, _ description: String, _ step: Int,
        _ fill: (inout Tensorboard_Summary.Value) -> Void
    ) throws(FileError) {
        var value = Tensorboard_Summary.Value()
        value.tag = tag
        if !description.isEmpty { value.metadata.summaryDescription = description }
        fill(&value)
        var event = Tensorboard_Event()
        event.step = Int64(step)
        event.summary.value = [value]
        try file.append(event)
    }
}
