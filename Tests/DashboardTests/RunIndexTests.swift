import Foundation
import Interchange
import Testing
import Training

import Dashboard

@Suite("The runs below a folder")
struct RunIndexTests {
    private func summaries(_ index: RunIndex) async -> [String: RunSummary] {
        await index.look()
        return Dictionary(
            uniqueKeysWithValues: await index.changes(since: 0).runs.map { ($0.id, $0) })
    }

    @Test("Runs are found at any depth, with what their last lines say")
    func found() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a", steps: 5)
        try folder.makeRun("deep/er/b", steps: 7, ending: .interrupted)
        try folder.makeRun("c", steps: 3, ending: nil)
        try folder.write("data", "images/cat/1.png")
        let index = RunIndex(folder.confined)
        let runs = await summaries(index)
        #expect(runs.keys.sorted() == ["a", "c", "deep/er/b"])
        #expect(runs["a"]?.state == .finished)
        #expect(runs["a"]?.testAccuracy == 0.75)
        #expect(runs["a"]?.step == 5)
        #expect(runs["deep/er/b"]?.state == .interrupted)
        #expect(runs["c"]?.state == .broken)
        #expect(runs["c"]?.setting.contains("batch 128") == true)
    }

    @Test("The folder may be a run itself")
    func itself() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a", steps: 5)
        let index = RunIndex(try ConfinedFolder(folder.path + "/a"))
        #expect(await summaries(index).keys.sorted() == ["."])
        let reader = try #require(await index.reader(".")).reader
        #expect(await reader.readSeries(revision: 0).series["loss"]?.step == [1, 2, 3, 4, 5])
    }

    @Test("A run runs while its file is held, and only then can it be stopped")
    func running() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a", steps: 5, ending: nil)
        let index = RunIndex(folder.confined)
        #expect(await summaries(index)["a"]?.state == .broken)
        #expect(await index.stop("a") == .isNotRunning)
        var held: HeldFile? = HeldFile(folder.path + "/a/progress.jsonl")
        #expect(await index.stop("a") == .requested)
        #expect(FileManager.default.fileExists(atPath: folder.path + "/a/stop"))
        try folder.append("\n", "a/progress.jsonl")
        #expect(await summaries(index)["a"]?.state == .running)
        _ = held
        held = nil
        // The end of a process changes no file.
        #expect(await index.look())
        #expect(await summaries(index)["a"]?.state == .broken)
        #expect(await !index.look())
    }

    @Test("Changes are told since a version, removals too")
    func changes() async throws {
        let folder = try RunsFolder()
        for name in ["a", "b", "c"] { try folder.makeRun(name, steps: 2) }
        let index = RunIndex(folder.confined)
        await index.look()
        let first = await index.changes(since: 0)
        #expect(first.isWhole && first.runs.count == 3)
        #expect(await !index.look())
        #expect(await index.changes(since: first.version).runs.isEmpty)

        try folder.append("{\"epoch\":2,\"step\":4,\"testAccuracy\":0.875}\n", "b/metrics.jsonl")
        try folder.remove("c")
        #expect(await index.look())
        let second = await index.changes(since: first.version)
        #expect(!second.isWhole)
        #expect(second.runs.map(\.id) == ["b"])
        #expect(second.runs.first?.testAccuracy == 0.875)
        #expect(second.removed == ["c"])
        #expect(await index.reader("c") == nil)

        // One that slept through everything gets everything.
        let whole = await index.changes(since: 0)
        #expect(whole.isWhole && whole.runs.map(\.id) == ["a", "b"])
        try folder.makeRun("c", steps: 2)
        await index.look()
        let third = await index.changes(since: first.version)
        #expect(third.runs.map(\.id) == ["b", "c"] && third.removed.isEmpty)
    }

    @Test("Removals do not pile up")
    func manyRemovals() async throws {
        let folder = try RunsFolder()
        let index = RunIndex(folder.confined)
        let count = RunIndex.maximumRemovalCount / 2 + 10
        for round in 0..<3 {
            for number in 0..<count { try folder.write("", "r\(round)-\(number)/config.yaml") }
            await index.look()
            for number in 0..<count { try folder.remove("r\(round)-\(number)") }
            await index.look()
        }
        let old = await index.changes(since: 1)
        #expect(old.isWhole && old.runs.isEmpty && old.removed.isEmpty)
        let recent = await index.changes(since: 5)
        #expect(!recent.isWhole && recent.removed.count == count)
    }

    @Test("Torn files, garbage and deleted folders leave the rest as it is")
    func damaged() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("good", steps: 9)
        try folder.makeRun("torn", steps: 9)
        try folder.append("{\"step\":10,\"lo", "torn/progress.jsonl")
        try folder.append("garbage\n{\"epoch\":2,\"st", "torn/metrics.jsonl")
        try folder.write("]]]: [", "odd/config.yaml")
        try folder.write("\0\0\0\n\n\n{{{\n", "odd/progress.jsonl")
        try folder.write("\n", "odd/statistics.jsonl")
        try folder.makeRun("gone", steps: 9)
        let index = RunIndex(folder.confined)
        let runs = await summaries(index)
        #expect(runs.count == 4)
        #expect(runs["torn"]?.step == 9)
        #expect(runs["torn"]?.testAccuracy == 0.75)
        #expect(runs["odd"]?.step == nil)
        let reader = try #require(await index.reader("gone")).reader
        try folder.remove("gone")
        // Between its going and the next look.
        #expect(await reader.readSeries(revision: 1).series.isEmpty)
        #expect(await reader.readLayers(revision: 1).steps.isEmpty)
        #expect(await summaries(index).count == 3)
        for id in ["torn", "odd"] {
            let reader = try #require(await index.reader(id)).reader
            let answer = await reader.readSeries(revision: 1)
            #expect(answer.isComplete)
            #expect(answer.series["loss"]?.step ?? [] == (id == "torn" ? Array(1...9) : []))
            #expect(await reader.readLayers(revision: 1).layers.isEmpty)
            #expect(await reader.readLayer(0) == nil)
        }
    }

    @Test("A run's numbers follow its files, and begin anew with them")
    func series() async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a", steps: 3)
        let index = RunIndex(folder.confined)
        await index.look()
        let reader = try #require(await index.reader("a")).reader
        let first = await reader.readSeries(revision: 1)
        #expect(first.series["loss"]?.mean == [1, 0.5, Float(1.0 / 3)])
        #expect(first.series["loss"]?.seconds == [0.1, 0.2, 0.3])
        #expect(first.series["testAccuracy"]?.step == [3])
        try folder.append(
            "{\"step\":4,\"seconds\":0.4,\"loss\":0.25,\"lowestLoss\":0.125,\"highestLoss\":0.5}\n",
            "a/progress.jsonl")
        let second = await reader.readSeries(revision: 2)
        #expect(second.series["loss"]?.step == [1, 2, 3, 4])
        #expect(second.series["loss"]?.low.last == 0.125)
        #expect(second.series["loss"]?.high.last == 0.5)
        try folder.makeRun("a", steps: 2)
        let third = await reader.readSeries(revision: 3)
        #expect(third.series["loss"]?.step == [1, 2])
        #expect(third.series["testAccuracy"]?.step == [2])
    }

    @Test(
        "Of many looks some are kept, evenly, and always the newest",
        arguments: [1, 128, 129, 1000])
    func looks(count: Int) async throws {
        let folder = try RunsFolder()
        try folder.makeRun("a", steps: 1)
        func line(_ step: Int) -> String {
            let percentiles = StepStatistics.percentileLevels.map { "\($0 + step)" }
            return "{\"step\":\(step),\"epoch\":1,\"learningRate\":0.1,\"loss\":1,"
                + "\"samplesPerSecond\":0,\"memoryBytes\":0,\"parameters\":[],\"norms\":[],\"layers\":["
                + "{\"name\":\"0\",\"kind\":\"Dense\",\"mean\":0,\"deviation\":\"NaN\",\"percentiles\":["
                + percentiles.joined(separator: ",") + "]}]}\n"
        }
        try folder.write((0..<count).map { line($0 * 10) }.joined(), "a/statistics.jsonl")
        let index = RunIndex(folder.confined)
        #expect(await summaries(index)["a"]?.hasLayers == true)
        let reader = try #require(await index.reader("a")).reader
        let answer = await reader.readLayers(revision: 1)
        #expect(answer.steps.count <= RunLooks.maximumCount + 1)
        #expect(answer.steps.count >= min(count, RunLooks.maximumCount / 2))
        #expect(answer.steps.first == 0 && answer.steps.last == (count - 1) * 10)
        #expect(answer.layers.map(\.values.count) == [answer.steps.count])
        let gaps = Set(zip(answer.steps.dropFirst().dropLast(), answer.steps).map { $0 - $1 })
        #expect(gaps.count <= 1)
        let layer = try #require(await reader.readLayer(0))
        #expect(layer.steps == answer.steps)
        #expect(
            layer.percentiles.first?.map { $0 ?? -1 }
                == StepStatistics.percentileLevels.map { Float($0) })
        #expect(await reader.readLayer(1) == nil)
        #expect(await reader.readLayer(-1) == nil)
    }

    @Test("A lab's trainings are runs, and are stopped together")
    func lab() async throws {
        let folder = try RunsFolder()
        let trials = "lab/convergence/trials"
        try folder.write("{}", "lab/lab.json")
        try folder.write(
            "{\"stamp\":\"s\",\"configuration\":\"normalizer=batch\",\"seed\":1,\"outcome\":{\"scalars\":"
                + "{\"testAccuracy\":0.5},\"series\":{\"testAccuracy\":{\"x\":[2,4],\"y\":[0.25,0.5]},"
                + "\"trainingSeconds\":{\"x\":[2,4],\"y\":[1,3]}}}}", "\(trials)/batch_seed-1.json")
        try folder.write("{\"step\":2,\"loss\":3}\n", "\(trials)/none_seed-0.progress.jsonl")
        let held = HeldFile(folder.path + "/\(trials)/none_seed-0.progress.jsonl")
        let index = RunIndex(folder.confined)
        let runs = await summaries(index)
        #expect(runs.keys.sorted() == ["\(trials)/batch_seed-1", "\(trials)/none_seed-0"])
        let finished = try #require(runs["\(trials)/batch_seed-1"])
        #expect(finished.state == .finished && finished.experiment == "convergence")
        #expect(finished.setting == ["normalizer=batch", "seed 1"])
        let reader = try #require(await index.reader(finished.id)).reader
        let points = try #require(await reader.readSeries(revision: 1).series["testAccuracy"])
        #expect(points.step == [2, 4] && points.mean == [0.25, 0.5] && points.seconds == [1, 3])
        #expect(runs["\(trials)/none_seed-0"]?.state == .running)
        #expect(await index.stop("\(trials)/none_seed-0") == .requested)
        #expect(FileManager.default.fileExists(atPath: folder.path + "/lab/stop"))
        _ = held
    }
}
