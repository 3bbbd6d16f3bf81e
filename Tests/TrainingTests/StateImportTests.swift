import Arrays
import FileTestSupport
import Foundation
import Graph
import Interchange
import Layers
import Runtime
import Testing
import Training

@Suite("Values from other programs")
struct StateImportTests {
    struct Fixture: Decodable {
        let images, logits: Fixtures.Tensor
    }

    static let state = Fixtures.folder.appending(path: "import/state.safetensors").path

    static let input = TensorSpec([1, 6, 8, 3], .float32)

    /// The network of `make_import.py`.
    static func network() throws -> Sequential {
        let text = """
            - conv2D: {outputs: 4, kernel: 3, padding: 1, bias: false}
            - batchNorm
            - relu
            - residual:
                layers:
                  - conv2D: {outputs: 4, kernel: 3, strides: 2, padding: 1, groups: 2}
                  - batchNorm
                shortcut:
                  - conv2D: {outputs: 4, kernel: 1, strides: 2}
            - relu
            - flatten
            - dense: 5
            - batchNorm
            """
        return try ModelDescription(yaml: text, source: "m").build(input: [6, 8, 3])
    }

    static let renamings = [
        StateImport.Renaming(from: "body", to: "branch"),
        StateImport.Renaming(from: "3.side", to: "3.shortcut"),
    ]

    @Test("PyTorch's logits from PyTorch's state_dict")
    func logits() throws {
        let fixture = try Fixtures.read("import", as: Fixture.self)
        let model = try Self.network()
        try StateImport(renamings: Self.renamings).read(
            Self.state, into: model, input: Self.input)
        let found = model(Tensor(fixture.images.array.converted(to: .float32))).evaluate()
        let worst = zip(found.elements(as: Double.self), fixture.logits.values)
            .map { abs($0 - $1) }.max()!
        #expect(worst < 1e-4, "\(worst)")
        #expect(
            model.namedStates.first { $0.name == "7.num_batches_tracked" }?.state.value.item(
                as: Int64.self) == 9)
        // Its statistics are in use, so that it folds.
        let images = fixture.images.array.converted(to: .float32)
        #expect(try model.fold(verifying: images).folded == ["1", "3.branch.1", "7"])

        // In the other order of axes the dense layer's columns mean something else.
        let other = try Self.network()
        try StateImport(layout: .channelsLast, renamings: Self.renamings).read(
            Self.state, into: other, input: Self.input)
        let dense = try [Self.imported(), other].map { model in
            try #require(model.namedParameters.first { $0.name == "6.weight" }).parameter.value
        }
        #expect(dense[0] != dense[1])
    }

    private static func imported() throws -> Sequential {
        let model = try network()
        try StateImport(renamings: renamings).read(state, into: model, input: input)
        return model
    }

    @Test("What was imported is exported again, bit for bit")
    func roundTrip() throws {
        let folder = TemporaryFolder()
        let model = try Self.imported()
        try StateExport().write(model, to: folder.file("s"), input: Self.input)
        let exported = try Safetensors(contentsOf: folder.file("s")).arrays()
        let given = try Safetensors(contentsOf: Self.state).arrays()
        // Under the names that the model has.
        let names = [("module.", ""), ("body", "branch"), ("side", "shortcut")]
        let expected = Dictionary(
            uniqueKeysWithValues: given.map { name, value in
                // One of them is float64 there.
                let value = value.elementType == .float64 ? value.converted(to: .float32) : value
                return (names.reduce(name) { $0.replacing($1.0, with: $1.1) }, value)
            })
        #expect(exported == expected)
        // Its own order is another one, so that the test is one of the order.
        try StateExport(layout: .channelsLast).write(
            model, to: folder.file("s"), input: Self.input)
        let own = try Safetensors(contentsOf: folder.file("s")).arrays()
        #expect(own.keys.filter { own[$0] != expected[$0] } == ["6.weight"])
        #expect(
            own == Dictionary(uniqueKeysWithValues: model.namedVariables.map { ($0, $1.value) }))
    }

    @Test("Whatever meets a flattened image follows its order")
    func flattenedImages() throws {
        let folder = TemporaryFolder()
        func layers() -> [Module] {
            [BatchNorm(24), ReLU(), LayerNorm([24]), WeightNorm(Dense(24, 24)), Dense(24, 3)]
        }
        // As PyTorch has it: the image is turned before it is flattened.
        let theirs = Sequential([ChannelsFirst()] + layers())
        for (index, variable) in theirs.namedVariables.map(\.variable).enumerated()
        where variable.spec.type == .float32 {
            let noise = Philox(key: UInt64(index)).normal(variable.spec.shape)
            variable.value = NDArray(noise.map { Float(abs($0)) }, shape: variable.spec.shape)
        }
        let input = TensorSpec([1, 2, 3, 4], .float32)
        try theirs.write(to: folder.file("s"))
        let ours = Sequential([Flatten()] + layers())
        try StateImport().read(folder.file("s"), into: ours, input: input)
        let images = Tensor(
            NDArray(Philox(key: 99).normal([5, 2, 3, 4]).map { Float($0) }, shape: [5, 2, 3, 4]))
        let (found, expected) = (ours(images).evaluate(), theirs(images).evaluate())
        let worst = zip(found.elements(as: Double.self), expected.elements(as: Double.self))
            .map { abs($0 - $1) }.max()!
        #expect(worst < 1e-5, "\(worst)")
        try StateExport().write(ours, to: folder.file("t"), input: input)
        #expect(
            try Safetensors(contentsOf: folder.file("t")).arrays()
                == Safetensors(contentsOf: folder.file("s")).arrays())
    }

    /// Flattens images as those whose channels come first are flattened.
    private final class ChannelsFirst: Module {
        override func call(_ input: Tensor, _ context: Context) -> Tensor {
            input.transposed(axes: [0, 3, 1, 2]).flattened(from: 1)
        }
    }

    @Test(
        "Wrappers in front of every name go away",
        arguments: ["", "module.", "_orig_mod.", "_orig_mod.module.", "module._orig_mod.module."])
    func wrappers(prefix: String) throws {
        let folder = TemporaryFolder()
        let given = try Safetensors(contentsOf: Self.state).arrays()
        try Safetensors.write(
            Dictionary(
                uniqueKeysWithValues: given.map {
                    (prefix + $0.key.dropFirst("module.".count), $0.value)
                }), to: folder.file("s"))
        let (expected, found) = (try Self.imported(), try Self.network())
        try StateImport(renamings: Self.renamings).read(
            folder.file("s"), into: found, input: Self.input)
        #expect(
            found.namedVariables.map(\.variable.value)
                == expected.namedVariables.map(\.variable.value))
    }

    @Test("What does not fit is named, and changes nothing")
    func mistakes() throws {
        func check(
            _ message: String, _ renamings: [StateImport.Renaming] = Self.renamings,
            _ change: (inout [String: NDArray]) -> Void
        ) throws {
            let folder = TemporaryFolder()
            var arrays = try Safetensors(contentsOf: Self.state).arrays()
            change(&arrays)
            let path = folder.file("state.safetensors")
            try Safetensors.write(arrays, to: path)
            let model = try Self.network()
            model.initialize(seed: 1)
            let before = model.namedVariables.map(\.variable.value)
            let error = #expect(throws: FileError.self) {
                try StateImport(renamings: renamings).read(
                    path, into: model, input: Self.input)
            }
            let sentence = "\(try #require(error))"
            #expect(sentence.contains(message) && !sentence.hasSuffix(" "), "\(sentence)")
            #expect(model.namedVariables.map(\.variable.value) == before)
        }
        try check("expected a tensor named '3.branch.0.weight', found none", []) { _ in }
        try check("the model has no '8.weight' (1 tensors") {
            $0["module.8.weight"] = NDArray(zeros: [2])
        }
        // Another name beside them: then `module.` is not a wrapper's.
        try check("expected a tensor named '0.weight'") { $0["8.weight"] = NDArray(zeros: [2]) }
        try check("'0.weight': expected float32[4, 3, 3, 3]") {
            $0["module.0.weight"] = NDArray(zeros: [4, 3, 9])
        }
        try check("'1.bias': expected float32[4]") {
            $0["module.1.bias"] = NDArray([1, 2, 3, 4] as [Int32])
        }
        try check("expected a tensor named '0.weight', found none") { $0 = [:] }
        try check("'0.weight': expected finite numbers, found nan") {
            $0["module.0.weight"] = NDArray(repeating: Float.nan, shape: [4, 3, 3, 3])
        }
        // Too large for the model's type.
        try check("'1.running_mean': expected finite numbers, found inf") {
            $0["module.1.running_mean"] = NDArray([0, 1e300, 0, 0] as [Double])
        }
        try check("'1.running_var': expected variances of 0 or more, found -0.5") {
            $0["module.1.running_var"] = NDArray([1, 2, -0.5, 0] as [Float])
        }
        try check("'1.num_batches_tracked': expected a count of 0 or more, found -3") {
            $0["module.1.num_batches_tracked"] = NDArray(scalar: Int64(-3))
        }
        try check("two tensors would be named", [.init(from: "body", to: "side")]) { _ in }
    }

    @Test("Shapes are compared before anything is read")
    func headerFirst() throws {
        let folder = TemporaryFolder()
        let count = PhysicalMemory.byteCount / 4
        let header =
            "{\"0.weight\":{\"dtype\":\"F32\",\"shape\":[\(count)],"
            + "\"data_offsets\":[0,\(count * 4)]}}"
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        let path = folder.write(length + header.utf8, padding: count * 4, "s")
        let model = try Self.network()
        let error = #expect(throws: FileError.self) {
            try StateImport().read(path, into: model, input: Self.input)
        }
        #expect(
            try #require(error).reason
                == "'0.weight': expected float32[4, 3, 3, 3], found float32[\(count)]")
    }

    @Test("Counts of batches may be missing")
    func counts() throws {
        let path = TemporaryFolder()
        var arrays = try Safetensors(contentsOf: Self.state).arrays()
        arrays = arrays.filter { !$0.key.hasSuffix("num_batches_tracked") }
        try Safetensors.write(arrays, to: path.file("s"))
        let model = try Self.network()
        try StateImport(renamings: Self.renamings).read(
            path.file("s"), into: model, input: Self.input)
        let counts = model.namedStates.filter { $0.name.hasSuffix("num_batches_tracked") }
        #expect(counts.map { $0.state.value.item(as: Int64.self) } == [1, 1, 1])

        // Statistics that nothing has updated have no batches.
        for (name, value) in [("module.1.running_mean", Float(0)), ("module.1.running_var", 1)] {
            arrays[name] = NDArray(repeating: value, shape: [4])
        }
        try Safetensors.write(arrays, to: path.file("s"))
        try StateImport(renamings: Self.renamings).read(
            path.file("s"), into: model, input: Self.input)
        #expect(counts.map { $0.state.value.item(as: Int64.self) } == [0, 1, 1])
    }

    @Test("Whether statistics were updated shows in them, whatever the count says")
    func countsOfZero() throws {
        let path = TemporaryFolder()
        var arrays = try Safetensors(contentsOf: Self.state).arrays()
        for name in arrays.keys where name.hasSuffix("num_batches_tracked") {
            arrays[name] = NDArray(scalar: Int64(0))
        }
        func imported() throws -> Sequential {
            try Safetensors.write(arrays, to: path.file("s"))
            let model = try Self.network()
            try StateImport(renamings: Self.renamings).read(
                path.file("s"), into: model, input: Self.input)
            return model
        }
        func complaints(_ model: Sequential) -> [String] {
            ModelWarnings.values(model, sample: [6, 8, 3]).filter { $0.contains("never updated") }
        }
        let images = try Fixtures.read("import", as: Fixture.self).images.array
            .converted(to: .float32)
        let model = try imported()
        #expect(complaints(model).isEmpty)
        #expect(try model.fold(verifying: images).folded == ["1", "3.branch.1", "7"])

        // A mean of 0 is no sign by itself, nor is a variance of 1; both are.
        arrays["module.1.running_mean"] = NDArray(zeros: [4])
        #expect(complaints(try imported()).isEmpty)
        arrays["module.1.running_var"] = NDArray(repeating: Float(1), shape: [4])
        let initial = try imported()
        #expect(complaints(initial).count == 1)
        let error = #expect(throws: FoldingError.self) { try initial.fold(verifying: images) }
        #expect("\(try #require(error))".contains("never updated"))
    }

    @Test(
        "Whole parts of names are replaced",
        arguments: [
            ("a.b.c", "b", "x", "a.x.c"), ("a.b.c", "a.b", "x.y.z", "x.y.z.c"),
            ("ab.b", "b", "", "ab"), ("b.b", "b", "b.b", "b.b.b.b"), ("abc", "b", "x", "abc"),
            ("a", "a.b", "x", "a"),
        ])
    func renaming(name: String, from: String, to: String, expected: String) throws {
        let folder = TemporaryFolder()
        let path = folder.file("s")
        try Safetensors.write([name: NDArray([1, 2] as [Float])], to: path)
        let model = Named(expected)
        try StateImport(renamings: [.init(from: from, to: to)]).read(
            path, into: model, input: TensorSpec([1, 2], .float32))
        #expect(model.parameter.value.elements(as: Float.self) == [1, 2])
    }

    /// A parameter of any name.
    private final class Named: Module {
        let name: String
        let parameter = Parameter([2], initializer: .zeros)

        init(_ name: String) {
            self.name = name
            super.init()
        }

        override func members() -> [(name: String, member: Module.Member)] {
            [(name, .parameter(parameter))]
        }

        override func call(_ input: Tensor, _ context: Context) -> Tensor {
            input * parameter.tensor
        }
    }
}
