import EvenKeel
import Foundation
import Testing

@Suite("evenkeel layer, recalibrate and fold")
struct LayerCommandTests {
    static let kinds = [
        "batch-norm", "layer-norm", "group-norm", "instance-norm", "rms-norm",
        "local-response-norm", "batch-renorm", "ghost-batch-norm", "filter-response-norm",
        "evonorm-b0", "evonorm-s0", "unit-norm", "weight-norm", "spectral-norm",
        "weight-standardization",
    ]

    static func normal(_ shape: Shape, _ seed: UInt64) -> NDArray {
        NDArray(Philox(key: seed).normal(shape), shape: shape)
    }

    @Test(
        "Every kind, in every precision, follows the float64 reference; threads do not show",
        arguments: kinds)
    func precisions(kind: String) throws {
        try Command.withFolder { folder in
            let (input, output) = ("\(folder)/in.safetensors", "\(folder)/out.safetensors")
            // Numbers that every precision holds.
            let x = Self.normal([6, 3, 4], 1).converted(to: .bfloat16).converted(to: .float16)
            let dy = Self.normal([6, 3, 4], 2).converted(to: .bfloat16).converted(to: .float16)
            func results(_ type: ElementType, _ options: String...) throws -> [String: NDArray] {
                try Safetensors.write(
                    ["x": x.converted(to: type), "dy": dy.converted(to: type)], to: input)
                let arguments =
                    ["layer", kind, "--input", input, "--output", output, "--groups", "2"]
                    + ["--ghost-size", "3"] + options
                let (process, pipes) = try Command.start(arguments)
                let errors = pipes[1].fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                #expect(
                    process.terminationStatus == 0, "\(String(decoding: errors, as: UTF8.self))")
                return try Safetensors(contentsOf: output).arrays()
            }
            let truth = try results(.float64, "--backend", "reference")
            for (type, limit) in [
                (ElementType.float64, 1e-11), (.float32, 2e-5), (.float16, 3e-3), (.bfloat16, 2e-2),
            ] {
                let found = try results(type)
                #expect(found.keys.sorted() == truth.keys.sorted())
                #expect(found["y"]!.elementType == type && found["dx"]!.elementType == type)
                for (name, expected) in truth {
                    let (a, b) = (
                        found[name]!.elements(as: Double.self), expected.elements(as: Double.self)
                    )
                    let scale = max(1, b.map(abs).max() ?? 0)
                    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
                    #expect(worst <= limit * scale, "\(kind), \(type): \(name) is off by \(worst)")
                }
                if type == .float32 { #expect(try results(type, "--threads", "3") == found) }
            }
        }
    }

    @Test("What is wrong is named on one line, and an existing output stays")
    func errors() throws {
        try Command.withFolder { folder in
            let (input, output) = ("\(folder)/in.safetensors", "\(folder)/out.safetensors")
            try Data("kept".utf8).write(to: URL(filePath: output))
            let x = Self.normal([4, 3], 1).converted(to: .float32)
            let one = x.rows(0..<1)
            let cases: [(String, [String: NDArray], [String], String)] = [
                ("batch-norm", ["x": one], [], "x"), ("batch-norm", ["z": x], [], "'x'"),
                ("batch-norm", ["x": x, "weight": NDArray([1.0])], [], "weight"),
                ("batch-norm", ["x": x, "running_var": NDArray([1.0, -1, 1])], [], "running_var"),
                ("batch-norm", ["x": x.converted(to: .int32)], [], "x"),
                ("batch-norm", ["x": x, "mask": NDArray([UInt8(1), 0, 0, 0])], [], "mask"),
                ("batch-norm", ["x": x], ["--average", "exponential=1.5"], "--average"),
                ("batch-norm", ["x": x], ["--average", "window=0"], "--average"),
                ("batch-norm", ["x": x], ["--axis", "-3"], "--axis"),
                ("batch-norm", ["x": x], ["--epsilon", "-1"], "--epsilon"),
                ("batch-norm", ["x": x], ["--threads", "0"], "--threads"),
                ("batch-renorm", ["x": x], ["--rmax", "0.5"], "--rmax"),
                ("batch-renorm", ["x": x], ["--dmax", "-1"], "--dmax"),
                ("ghost-batch-norm", ["x": x], ["--ghost-size", "0"], "--ghost-size"),
                ("ghost-batch-norm", ["x": x], ["--ghost-size", "1"], "x"),
                ("group-norm", ["x": x], ["--groups", "2"], "--groups"),
                ("layer-norm", ["x": x], ["--axes", "1,-1"], "--axes"),
                ("local-response-norm", ["x": x], ["--size", "0"], "--size"),
                ("unit-norm", ["x": x], ["--p", "3"], "--p"),
                ("batch-norm", ["x": x], ["--nonsense"], "--nonsense"),
                ("batch-norm", ["x": x], ["--average", "none=1"], "--average"),
                ("batch-norm", ["x": x], ["--average", "window=10000000"], "--average"),
            ]
            let usage = ["--nonsense", "none=1"]
            for (kind, tensors, options, word) in cases {
                try Safetensors.write(tensors, to: input)
                let (process, pipes) = try Command.start(
                    ["layer", kind, "--input", input, "--output", output] + options)
                let text = String(
                    decoding: pipes[1].fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                let status: Int32 = options.contains { usage.contains($0) } ? 64 : 1
                #expect(process.terminationStatus == status, "\(kind) \(options): \(text)")
                #expect(text.hasPrefix("error: ") && text.contains(word), "\(text)")
                #expect(text.filter { $0 == "\n" }.count == 1)
                #expect(FileManager.default.contents(atPath: output) == Data("kept".utf8))
            }
        }
    }

    @Test("An empty x with an absurd axis is an error", arguments: kinds)
    func absurdEmpty(kind: String) throws {
        try Command.withFolder { folder in
            let (input, output) = ("\(folder)/in.safetensors", "\(folder)/out.safetensors")
            for shape in ["[0,1000000000000]", "[1000000000000,0]", "[2,4294967296,0,4294967296]"] {
                let header = #"{"x":{"dtype":"F32","shape":\#(shape),"data_offsets":[0,0]}}"#
                var file = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
                file.append(Data(header.utf8))
                try file.write(to: URL(filePath: input))
                let (process, pipes) = try Command.start(
                    [
                        "layer", kind, "--input", input, "--output", output,
                        "--mode", "inference",
                    ])
                let text = String(
                    decoding: pipes[1].fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                process.waitUntilExit()
                #expect(process.terminationStatus == 1, "\(kind) \(shape): \(text)")
                #expect(text.hasPrefix("error: ") && text.contains("x"), "\(text)")
                #expect(text.filter { $0 == "\n" }.count == 1)
                #expect(!FileManager.default.fileExists(atPath: output))
            }
        }
    }

    @Test("A channel that is not finite keeps its statistics bit for bit")
    func nonFinite() throws {
        try Command.withFolder { folder in
            let (input, output) = ("\(folder)/in.safetensors", "\(folder)/out.safetensors")
            let x = NDArray([1, 2, Float.nan, 3, 5, 4, 9, 8, 7], shape: [3, 3])
            let mean = NDArray([Float(0.1), 0.2, 0.3])
            for average in ["exponential=0.5", "cumulative", "window=2"] {
                try Safetensors.write(["x": x, "running_mean": mean], to: input)
                let result = try Command.run(
                    "layer", "batch-norm", "--input", input, "--output", output, "--average",
                    average)
                #expect(result.status == 0)
                let outputs = try Safetensors(contentsOf: output).arrays()
                let found: [Float] = outputs["running_mean"]!.elements()
                #expect(found[2] == 0.3 && found[0] != 0.1)
                #expect(outputs["num_batches_tracked"]!.item(as: Int64.self) == 1)
            }
        }
    }

    /// Calls a layer on one input after another, each with the states that the one before left.
    static func sequence(_ batches: [NDArray], in folder: String, _ options: String...) throws
        -> [String: NDArray]
    {
        var outputs: [String: NDArray] = [:]
        for x in batches {
            let (input, output) = ("\(folder)/in.safetensors", "\(folder)/out.safetensors")
            let states = outputs.filter { name, _ in
                ["running", "num_", "state_"].contains { name.hasPrefix($0) }
            }
            try Safetensors.write(states.merging(["x": x]) { $1 }, to: input)
            let result = try Command.start(
                ["layer"] + options + ["--input", input, "--output", output])
            result.0.waitUntilExit()
            #expect(result.0.terminationStatus == 0)
            outputs = try Safetensors(contentsOf: output).arrays()
        }
        return outputs
    }

    @Test("A window holds the last finite batches of each channel by itself")
    func windows() throws {
        try Command.withFolder { folder in
            var batches = (0..<4).map { Self.normal([5, 3], UInt64($0)).converted(to: .float32) }
            let finite = try Self.sequence(
                [batches[0], batches[1], batches[3]], in: folder, "batch-norm", "--average",
                "window=2")
            let all = try Self.sequence(
                batches, in: folder, "batch-norm", "--average", "window=2")
            var damaged: [Float] = batches[2].elements()
            damaged[0] = .infinity
            batches[2] = NDArray(damaged, shape: [5, 3])
            let found = try Self.sequence(
                batches, in: folder, "batch-norm", "--average", "window=2")
            for name in ["running_mean", "running_var"] {
                let values: [Float] = found[name]!.elements()
                #expect(values[0] == finite[name]!.elements(as: Float.self)[0])
                #expect(values[1...] == all[name]!.elements(as: Float.self)[1...])
            }
        }
    }

    @Test("What a mask excludes may be anything, in x and in dy")
    func maskedValues() throws {
        try Command.withFolder { folder in
            let (input, output) = ("\(folder)/in.safetensors", "\(folder)/out.safetensors")
            let mask = NDArray([1, 1, 0, 1, 1, 0] as [UInt8])
            func results(_ kind: String, _ value: Float) throws -> [String: NDArray] {
                let (x, dy) = (Self.normal([6, 2], 1), Self.normal([6, 2], 2))
                func marked(_ array: NDArray) -> NDArray {
                    var values: [Float] = array.converted(to: .float32).elements()
                    for row in [2, 5] { values[2 * row] = value }
                    return NDArray(values, shape: [6, 2])
                }
                try Safetensors.write(
                    ["x": marked(x), "dy": marked(dy), "mask": mask], to: input)
                let result = try Command.run("layer", kind, "--input", input, "--output", output)
                #expect(result.status == 0, "\(result.errors)")
                return try Safetensors(contentsOf: output).arrays()
            }
            for kind in ["batch-norm", "batch-renorm", "ghost-batch-norm"] {
                let expected = try results(kind, 0)
                #expect(try results(kind, .nan) == expected)
                #expect(try results(kind, -.infinity) == expected)
            }
        }
    }

    @Test("A run is recalibrated and folded")
    func runs() throws {
        try Command.withFolder { folder in
            let run = "\(folder)/run"
            let trained = try Command.run(
                "train", "--data", "\(folder)/data", "--output", run, "--hidden", "8", "--epochs",
                "2",
                "--batch-size", "32")
            #expect(trained.status == 0, "\(trained.errors)")
            let recalibrated = try Command.run("recalibrate", run, "--json")
            #expect(recalibrated.status == 0, "\(recalibrated.errors)")
            #expect(recalibrated.output.contains("\"norms\":2"))
            let before = try Command.run("evaluate", run, "--json")
            let folded = try Command.run("fold", run, "--output", "\(folder)/folded", "--json")
            #expect(folded.status == 0, "\(folded.errors)")
            #expect(folded.output.contains("largestDifference"))
            let after = try Command.run("evaluate", "\(folder)/folded", "--json")
            #expect(after.status == 0, "\(after.errors)")
            func accuracy(_ text: String) -> Substring? {
                text.firstMatch(of: /"accuracy":([0-9.]+)/)?.1
            }
            #expect(accuracy(before.output) != nil)
            #expect(accuracy(before.output) == accuracy(after.output))
            let again = try Command.run("fold", run, "--output", "\(folder)/folded")
            #expect(again.status == 1)
            let nothing = try Command.run("fold", "\(folder)/folded", "--output", "\(folder)/third")
            #expect(nothing.status == 1 && nothing.errors.hasPrefix("error: "))
        }
    }
}
