import EvenKeel
import Foundation
import Testing

@Suite("Values and samples that come and go in files")
struct ExchangeCommandTests {
    private static let image = Shape([8, 8, 3])

    /// A convolutional network with a flattened image, trained a little on colour images.
    private func withRun(_ body: (_ folder: String) throws -> Void) throws {
        try Command.withFolder { path in
            try Command.writeImages(path + "/images", Self.image)
            let train = try Command.run(
                "train", "--data", path + "/images", "--model", "cnn", "--steps", "3",
                "--batch-size", "8", "--output", path + "/run")
            #expect(train.status == 0, "\(train.errors)")
            try body(path)
        }
    }

    @Test("A run that is exported and imported is the same to the bit")
    func roundTrip() throws {
        try withRun { path in
            let state = path + "/state.safetensors"
            let export = try Command.run("export", path + "/run", "--output", state)
            #expect(export.status == 0, "\(export.errors)")
            let own = try Safetensors(contentsOf: path + "/run/model.safetensors").arrays()
            let exported = try Safetensors(contentsOf: state).arrays()
            #expect(exported.keys.sorted() == own.keys.sorted())
            let different = own.keys.filter { own[$0] != exported[$0] }
            #expect(different.count == 1)
            // Its columns are those of [2, 2, 64] here and of [64, 2, 2] there.
            let name = try #require(different.first)
            let ours = try #require(own[name]).elements(as: Float.self)
            let theirs = try #require(exported[name]).elements(as: Float.self)
            for column in 0..<256 {
                #expect(theirs[column % 64 * 4 + column / 64] == ours[column])
            }
            let back = try Command.run(
                "import", state, "--data", path + "/images", "--model", "cnn", "--output",
                path + "/back")
            #expect(back.status == 0, "\(back.errors)")
            #expect(
                try Command.bytes(path + "/back/model.safetensors")
                    == Command.bytes(path + "/run/model.safetensors"))
        }
    }

    @Test("An mlp has the columns of its data, which no other order of axes is for")
    func perceptron() throws {
        try Command.withFolder { path in
            try Command.writeImages(path + "/images", Self.image)
            let run = path + "/run"
            let train = try Command.run(
                "train", "--data", path + "/images", "--steps", "1", "--batch-size", "8",
                "--output", run)
            #expect(train.status == 0, "\(train.errors)")
            let state = path + "/state.safetensors"
            let refused = try Command.run("export", run, "--output", state)
            #expect(refused.status == 64 && refused.errors.contains("--layout channels-last"))
            let export = try Command.run(
                "export", run, "--output", state, "--layout", "channels-last")
            #expect(export.status == 0, "\(export.errors)")
            #expect(
                try Safetensors(contentsOf: state).arrays()
                    == Safetensors(contentsOf: run + "/model.safetensors").arrays())
        }
    }

    @Test("Samples have the shape of the run's, or are told apart")
    func shapes() throws {
        try withRun { path in
            func predict(_ shape: Shape) throws -> Command.Result {
                let input = path + "/input.npy"
                try NPY.write(NDArray(zeros: shape, .uint8), to: input)
                return try Command.run("predict", path + "/run", "--input", input)
            }
            for shape in [[2, 8, 8, 3], [2, 192]] as [Shape] {
                let result = try predict(shape)
                #expect(result.status == 0, "\(shape): \(result.errors)")
                #expect(result.output.split(separator: "\n").count == 3)
            }
            for shape in [
                [2, 3, 8, 8], [2, 192, 1], [2, 8, 24], [2, 8, 8], [0, 8, 8, 3], [384],
            ]
                as [Shape]
            {
                let result = try predict(shape)
                #expect(result.status == 1 && result.output.isEmpty, "\(shape)")
                let expected = "expected an array of shape [samples, 8, 8, 3] or [samples, 192]"
                #expect(result.errors.contains("\(expected), found \(shape)"), "\(result.errors)")
            }
        }
        // Grey images may lack the axis of channels, and an mlp takes images, too.
        try Command.withFolder { path in
            let train = try Command.run(
                "train", "--data", path + "/data", "--steps", "1", "--output", path + "/run")
            #expect(train.status == 0, "\(train.errors)")
            for (shape, status) in [
                ([3, 6, 6, 1], 0), ([3, 6, 6], 0), ([3, 36], 0), ([3, 1, 6, 6], 1), ([3, 4, 9], 1),
            ] as [(Shape, Int32)] {
                let input = path + "/input.npy"
                try NPY.write(NDArray(zeros: shape, .uint8), to: input)
                let result = try Command.run("predict", path + "/run", "--input", input)
                #expect(result.status == status, "\(shape): \(result.errors)")
            }
        }
    }
}
