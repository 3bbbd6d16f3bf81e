import Foundation
import Testing

import Dashboard

@Suite("Nothing outside the dashboard's folder is read")
struct ConfinementTests {
    private func folder() throws -> (whole: RunsFolder, runs: ConfinedFolder) {
        let whole = try RunsFolder()
        try whole.write("secret", "secret.txt")
        try whole.write("inside", "runs/a/metrics.jsonl")
        try whole.link("runs/link.txt", to: whole.path + "/secret.txt")
        try whole.link("runs/a/relative", to: "../../secret.txt")
        try whole.link("runs/up", to: "..")
        try whole.link("runs/inner", to: "a")
        return (whole, try ConfinedFolder(whole.path + "/runs"))
    }

    @Test("A file below is read")
    func below() throws {
        let (whole, runs) = try folder()
        #expect(runs.file("a/metrics.jsonl")?.bytes(limit: 100) == Array("inside".utf8))
        #expect(runs.list("")?.folders == ["a"])
        _ = whole
    }

    @Test(
        "No other name opens a file",
        arguments: [
            "../secret.txt", "a/../../secret.txt", "a/../a/metrics.jsonl", "./a/metrics.jsonl",
            "a//metrics.jsonl", "a/./metrics.jsonl", "/etc/passwd", "//etc/passwd", "", ".", "..",
            "link.txt", "a/relative", "up/secret.txt", "up/runs/a/metrics.jsonl",
            "inner/metrics.jsonl",
            "a", "a/", "a/metrics.jsonl/", "a/metrics.jsonl\0", "a\0/metrics.jsonl", "nothing",
        ])
    func outside(name: String) throws {
        let (whole, runs) = try folder()
        #expect(runs.file(name) == nil)
        _ = whole
    }

    @Test("No folder elsewhere is listed", arguments: ["..", "up", "inner", "/", "a/..", "/etc"])
    func listing(name: String) throws {
        let (whole, runs) = try folder()
        #expect(runs.list(name) == nil)
        _ = whole
    }

    @Test("Nothing is made elsewhere", arguments: ["../stop", "up/stop", "inner/stop", "link.txt"])
    func touching(name: String) throws {
        let (whole, runs) = try folder()
        #expect(!runs.touch(name))
        #expect(runs.touch("a/stop"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: whole.path).sorted() == [
                "runs", "secret.txt",
            ])
    }

    @Test("A pipe is no run's file, and nobody waits for its other end")
    func pipe() throws {
        let (whole, runs) = try folder()
        #expect(mkfifo(whole.path + "/runs/pipe", 0o600) == 0)
        #expect(runs.file("pipe") == nil)
    }

    @Test("Runs behind links are not found, nor linked files of a run read")
    func runs() async throws {
        let whole = try RunsFolder()
        try whole.makeRun("elsewhere/far", steps: 3)
        try whole.makeRun("runs/near", steps: 3)
        try whole.remove("runs/near/metrics.jsonl")
        try whole.link("runs/near/metrics.jsonl", to: whole.path + "/elsewhere/far/metrics.jsonl")
        try whole.link("runs/far", to: whole.path + "/elsewhere/far")
        let index = RunIndex(try ConfinedFolder(whole.path + "/runs"))
        await index.look()
        let found = await index.changes(since: 0).runs
        #expect(found.map(\.id) == ["near"])
        #expect(found.first?.testAccuracy == nil)
        for id in ["far", "../elsewhere/far", whole.path + "/elsewhere/far", "near/../near", ""] {
            #expect(await index.reader(id) == nil)
            #expect(await index.stop(id) == .noSuchRun)
        }
    }
}
