import EvenKeel
import Foundation
import Testing

@Suite("Folders of images, by command")
struct ImageCommandTests {
    private func events(_ result: Command.Result) throws -> [[String: Any]] {
        try result.output.split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    @Test("Images that are left out are counted, whatever is wrong with them")
    func skipped() throws {
        try Command.withFolder { path in
            try Command.writeImages(path + "/images", [8, 8, 3])
            for (index, name) in ["dark/0", "dark/2", "light/1"].enumerated() {
                let file = URL(filePath: "\(path)/images/\(name).png")
                var bytes = try Data(contentsOf: file)
                // In the header; then in the pixels.
                bytes[index == 0 ? 20 : bytes.count - 30] ^= 0xFF
                try bytes.write(to: file)
            }
            let train = try Command.run(
                "train", "--data", path + "/images", "--steps", "2", "--batch-size", "8",
                "--output",
                path + "/run", "--json")
            #expect(train.status == 0, "\(train.errors)")
            let warnings = train.errors.split(separator: "\n").filter { $0.contains("skipped") }
            #expect(warnings.filter { $0.hasPrefix("warning: skipped \(path)/images/") }.count == 3)
            #expect(warnings.last == "warning: 3 of 20 images skipped")
            #expect(warnings.count == 4)
            #expect(try events(train).last?["skippedImages"] as? Int == 3)

            // Only the images for testing are decoded; the one with the damaged header is known.
            let evaluate = try Command.run("evaluate", path + "/run", "--json")
            let count = try #require(try events(evaluate).first?["skippedImages"] as? Int)
            #expect((1...3).contains(count))
            #expect(evaluate.errors.contains("warning: \(count) of 20 images skipped\n"))
        }
    }

    @Test("Without damage nothing is said, and the count is 0")
    func whole() throws {
        try Command.withFolder { path in
            try Command.writeImages(path + "/images", [8, 8, 3])
            let train = try Command.run(
                "train", "--data", path + "/images", "--steps", "2", "--batch-size", "8",
                "--output",
                path + "/run", "--json")
            #expect(!train.errors.contains("skipped"))
            #expect(try events(train).last?["skippedImages"] as? Int == 0)
        }
    }

    @Test("Images of all sizes are brought to one, which the run keeps")
    func sizes() throws {
        try Command.withFolder { path in
            try Command.writeImages(path + "/images", [9, 7, 3], count: 12)
            let picture = Picture(
                [UInt8](repeating: 9, count: 12 * 20 * 3), width: 20, height: 12, channels: 3)
            try Data(picture.png).write(to: URL(filePath: path + "/images/dark/wide.png"))
            let data = path + "/images"
            let plain = try Command.run(
                "train", "--data", data, "--steps", "1", "--output", path + "/no")
            #expect(plain.status == 1 && plain.errors.contains("--image-size"))
            let wrong = try Command.run("train", "--data", data, "--image-size", "8*6")
            #expect(wrong.status == 64 && wrong.errors.contains("HEIGHTxWIDTH"))

            for (name, epochs) in [("through", "2"), ("parts", "1")] {
                let train = try Command.run(
                    "train", "--data", data, "--image-size", "8x6", "--schedule", "constant",
                    "--epochs", epochs,
                    "--batch-size", "4", "--output", "\(path)/\(name)")
                #expect(train.status == 0, "\(train.errors)")
            }
            // The run goes on, is evaluated and predicts with images of its size.
            let resumed = try Command.run(
                "train", "--output", path + "/parts", "--resume", "--epochs", "2")
            #expect(resumed.status == 0, "\(resumed.errors)")
            let text = try String(contentsOfFile: path + "/parts/config.yaml", encoding: .utf8)
            #expect(text.contains("imageSize: 8x6"))
            #expect(
                try Command.bytes(path + "/parts/model.safetensors")
                    == Command.bytes(path + "/through/model.safetensors"))
            #expect(try Command.run("evaluate", path + "/parts").status == 0)
            let input = path + "/input.npy"
            for (shape, status) in [([2, 8, 6, 3], 0), ([2, 9, 7, 3], 1)] as [(Shape, Int32)] {
                try NPY.write(NDArray(zeros: shape, .uint8), to: input)
                #expect(
                    try Command.run("predict", path + "/parts", "--input", input).status == status)
            }
            let plan = try Command.run(
                "plan", "--data", data, "--image-size", "8", "--batch-size", "4")
            #expect(plan.status == 0, "\(plan.errors)")
            // Only images are resized.
            let others = try Command.run(
                "train", "--data", path + "/data", "--image-size", "8", "--output", path + "/no")
            #expect(others.status == 1 && others.errors.contains("expected images of 8 x 8 pixels"))
            #expect(
                try Command.run(
                    "plan", "--data", path + "/data", "--image-size", "6", "--batch-size", "4"
                )
                .status == 0)
        }
    }

    @Test("A run does not go on with other data")
    func changedData() throws {
        try Command.withFolder { path in
            let data = path + "/images"
            try Command.writeImages(data, [6, 6, 1])
            let train = try Command.run(
                "train", "--data", data, "--epochs", "1", "--batch-size", "16", "--output",
                path + "/run")
            #expect(train.status == 0, "\(train.errors)")
            func resumed() throws -> Command.Result {
                try Command.run("train", "--output", path + "/run", "--resume", "--epochs", "2")
            }
            // One image more would leave a batch of one; a class more changes the model.
            let picture = Picture(
                [UInt8](repeating: 9, count: 36), width: 6, height: 6, channels: 1)
            let files = FileManager.default
            for name in ["dark/more.png", "new/more.png"] {
                let folder = "\(data)/\(name.split(separator: "/")[0])"
                try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try Data(picture.png).write(to: URL(filePath: "\(data)/\(name)"))
                let result = try resumed()
                #expect(result.status == 1)
                #expect(
                    result.errors.contains("error: \(data): the data has changed")
                        && result.errors.contains(
                            "there were 16 samples of shape [6, 6, 1] in 2 classes"),
                    "\(result.errors)")
                try files.removeItem(atPath: "\(data)/\(name)")
            }
            try files.removeItem(atPath: data + "/new")
            let result = try resumed()
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    @Test("A normalization of another number of channels is one of a file")
    func normalization() throws {
        try Command.withFolder { path in
            try Command.writeImages(path + "/images", [6, 6, 3])
            let file = path + "/options.yaml"
            try "normalize: {mean: [0.5, 0.4], deviation: [0.2, 0.2]}".write(
                toFile: file, atomically: true, encoding: .utf8)
            for command in ["train", "plan"] {
                let result = try Command.run(
                    command, "--data", path + "/images", "--config", file, "--batch-size", "8")
                #expect(result.status == 1)
                #expect(
                    result.errors.contains(
                        "error: \(file): normalize: expected features of 2 channels"),
                    "\(result.errors)")
            }
        }
    }
}
