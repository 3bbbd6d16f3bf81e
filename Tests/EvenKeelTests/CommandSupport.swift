import EvenKeel
import Foundation

/// Runs the built command.
enum Command {
    struct Result {
        var status: Int32
        var output: String
        var errors: String
    }

    /// The executable beside the test bundle.
    static var executable: URL {
        let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return bundle.appending(path: "evenkeel")
    }

    static func start(_ arguments: [String]) throws -> (process: Process, pipes: [Pipe]) {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        let pipes = [Pipe(), Pipe()]
        process.standardOutput = pipes[0]
        process.standardError = pipes[1]
        try process.run()
        return (process, pipes)
    }

    static func run(_ arguments: String...) throws -> Result {
        let (process, pipes) = try start(arguments)
        // What a test prints fits the pipes' buffers; reading one after the other is safe.
        let texts = pipes.map {
            String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        process.waitUntilExit()
        return Result(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }

    /// A folder of its own with a small data set in `data`: noisy images of a bright quarter.
    static func withFolder(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "evenkeel-command-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createDirectory(
            atPath: path + "/data", withIntermediateDirectories: true)
        for (name, count, seed) in [("train", 240, UInt64(1)), ("t10k", 80, 2)] {
            var generator = PhiloxGenerator(seed: seed)
            var pixels: [UInt8] = []
            for sample in 0..<count {
                for pixel in 0..<36 {
                    let isBright = pixel / 9 == sample % 4
                    pixels.append(UInt8(generator.next() % 120) + (isBright ? 100 : 0))
                }
            }
            try IDX.write(
                NDArray(pixels, shape: [count, 6, 6]), to: "\(path)/data/\(name)-images-idx3-ubyte")
            try IDX.write(
                NDArray((0..<count).map { UInt8($0 % 4) }),
                to: "\(path)/data/\(name)-labels-idx1-ubyte")
        }
        try body(path)
    }

    /// A folder of noisy PNG images of two classes.
    static func writeImages(_ folder: String, _ shape: Shape, count: Int = 20) throws {
        var generator = PhiloxGenerator(seed: 3)
        for sample in 0..<count {
            let name = sample % 2 == 0 ? "dark" : "light"
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            let pixels = (0..<shape.elementCount).map { _ in
                UInt8(generator.next() % 128) + (sample % 2 == 0 ? 0 : 100)
            }
            let picture = Picture(
                pixels, width: shape[1], height: shape[0], channels: shape[2])
            try Data(picture.png).write(to: URL(filePath: "\(folder)/\(name)/\(sample).png"))
        }
    }

    static func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }
}
