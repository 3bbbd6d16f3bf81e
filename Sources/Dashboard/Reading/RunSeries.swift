import Foundation
import Lab
import Training

/// All numbers of a run over its steps, read as its files grow.
struct RunSeries {
    /// More names than this in `metrics.jsonl` are left out.
    private static let maximumSeriesCount = 24

    private(set) var series: [String: BucketedSeries] = [:]
    private var progress = LineTail()
    private var metrics = LineTail()
    private var object = FlatObject()
    /// Seconds of the epochs read so far.
    private var epochSeconds = 0.0

    /// Names of what ``ProgressLine``s tell.
    private static let progressNames = ["loss", "learningRate", "samplesPerSecond"]

    /// Reads what is new, at most about so many bytes; returns whether there is more.
    mutating func read(_ location: RunLocation, in folder: ConfinedFolder, budget: Int) -> Bool {
        var hasMore = false
        if let file = folder.file(location.progress) {
            var (tail, fresh) = (progress, self)
            hasMore = tail.read(
                file, budget: budget,
                restart: { for name in Self.progressNames { fresh.series[name] = nil } },
                line: { fresh.takeProgress($0) })
            self = fresh
            progress = tail
        }
        switch location.kind {
        case .training(let metricsPath):
            guard let file = folder.file(metricsPath) else { break }
            var (tail, fresh) = (metrics, self)
            let more = tail.read(
                file, budget: budget, restart: { fresh.forgetMetrics() },
                line: { fresh.takeMetrics($0) })
            self = fresh
            metrics = tail
            hasMore = hasMore || more
        case .trial(let outcomePath, _):
            readOutcome(folder, outcomePath)
        }
        return hasMore
    }

    private mutating func takeProgress(_ line: UnsafeRawBufferPointer) {
        guard object.read(line) else { return }
        var (step, seconds) = (Double.nan, Double.nan)
        var (loss, low, high): (Double?, Double?, Double?)
        var others: [(String, Double)] = []
        for (key, value) in object.members {
            switch String(decoding: line[key], as: UTF8.self) {
            case "step": step = value
            case "seconds": seconds = value
            case "loss": loss = value
            case "lowestLoss": low = value
            case "highestLoss": high = value
            case "learningRate": others.append(("learningRate", value))
            case "samplesPerSecond": others.append(("samplesPerSecond", value))
            default: break
            }
        }
        guard let step = Self.step(step) else { return }
        if let loss {
            series["loss", default: BucketedSeries()].add(
                step: step, seconds: seconds, loss, low: low, high: high)
        }
        for (name, value) in others {
            series[name, default: BucketedSeries()].add(step: step, seconds: seconds, value)
        }
    }

    private mutating func forgetMetrics() {
        epochSeconds = 0
        series = series.filter { Self.progressNames.contains($0.key) }
    }

    private mutating func takeMetrics(_ line: UnsafeRawBufferPointer) {
        guard object.read(line) else { return }
        let values = object.members.map {
            (String(decoding: line[$0.key], as: UTF8.self), $0.value)
        }
        guard let step = values.first(where: { $0.0 == "step" }).flatMap({ Self.step($0.1) }) else {
            return
        }
        if let seconds = values.first(where: { $0.0 == "seconds" })?.1, seconds >= 0 {
            epochSeconds += seconds
        }
        for (name, value) in values where name == "trainLoss" || name.hasPrefix("test") {
            guard series[name] != nil || series.count < Self.maximumSeriesCount else { continue }
            series[name, default: BucketedSeries()].add(step: step, seconds: epochSeconds, value)
        }
    }

    /// What a finished trial of a lab recorded over its steps.
    private mutating func readOutcome(_ folder: ConfinedFolder, _ path: String) {
        series["testAccuracy"] = nil
        guard let outcome = LabFolder.Record(folder, path)?.outcome,
            let accuracy = outcome.series["testAccuracy"]
        else { return }
        let seconds = outcome.series["trainingSeconds"]?.y ?? []
        for (index, (x, y)) in zip(accuracy.x, accuracy.y).enumerated() {
            guard let step = Self.step(x) else { continue }
            series["testAccuracy", default: BucketedSeries()].add(
                step: step, seconds: index < seconds.count ? seconds[index] : .nan, y)
        }
    }

    private static func step(_ value: Double) -> Int? {
        value >= 0 && value <= 0x1p53 ? Int(value) : nil
    }
}

extension LabFolder.Record {
    /// Nil when there is none, or none that can be read.
    init?(_ folder: ConfinedFolder, _ path: String) {
        guard let bytes = folder.file(path)?.bytes(limit: 1 << 24),
            let record = JSONLines.decode(bytes, as: LabFolder.Record.self)
        else { return nil }
        self = record
    }
}
