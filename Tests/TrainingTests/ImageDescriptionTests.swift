import Arrays
import Foundation
import Graph
import Layers
import Runtime
import Testing
import Training

@Suite("Descriptions of networks for images")
struct ImageDescriptionTests {
    static let text = """
        layers:
          - conv2D: {outputs: 8, kernel: 3, padding: same, bias: false, init: he-fan-out}
          - batchNorm
          - relu6
          - residual:
              - conv2D: {outputs: 8, kernel: [3, 1], padding: [1, 0], bias: false}
              - groupNorm: 4
          - residual:
              layers:
                - depthwiseConv2D: {kernel: 3, strides: 2, padding: 1, multiplier: 2}
                - evonormS0: 4
                - conv2D: {outputs: 12, kernel: 1, groups: 4, weight: standardized}
                - residual:
                    layers: [instanceNorm, relu]
              shortcut:
                - averagePool: {size: 2, roundsUp: true, countsPadding: false}
                - conv2D: {outputs: 12, kernel: 1}
          - relu
          - maxPool: {size: 3, strides: 2, padding: 1}
          - pad: {before: 1, after: [0, 1], mode: reflect}
          - convTranspose2D: {outputs: 6, kernel: 3, strides: 2, padding: 1, outputPadding: 1}
          - filterResponseNorm
          - upsample: {factor: 2, mode: linear}
          - adaptiveAveragePool: [4, 3]
          - globalAveragePool
          - dense: 5
        """

    @Test("It builds, names its parameters, comes back from YAML, and trains")
    func build() throws {
        let description = try ModelDescription(yaml: Self.text, source: "m")
        var configuration = RunConfiguration()
        configuration.model = description
        #expect(try RunConfiguration(yaml: configuration.yaml, source: "c") == configuration)

        let model = try description.build(input: [11, 9, 2])
        model.initialize(seed: 1)
        let names = model.namedParameters.map(\.name)
        for name in [
            "0.weight", "3.branch.1.bias", "4.branch.0.weight", "4.branch.3.branch.0.weight",
            "4.shortcut.1.bias", "8.weight",
        ] {
            #expect(names.contains(name), "\(name)")
        }
        #expect(model.parameters.count == Set(names).count)
        let x = NDArray(
            Philox(key: 1).normal([3, 11, 9, 2]).map { Float($0) }, shape: [3, 11, 9, 2])
        let y = model(Tensor(x), Context(.training))
        #expect(y.shape == [3, 5])
        let losses = y.crossEntropy(Tensor(NDArray([Int32(0), 1, 2]))).mean()
        for gradient in evaluate(losses.gradients(model.parameters.map(\.tensor))) {
            #expect(gradient.elements(as: Double.self).allSatisfy { $0.isFinite })
        }
    }

    @Test("The examples of the documentation build for the inputs they name")
    func documentation() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/model-files.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let examples = text.components(separatedBy: "```yaml\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        #expect(examples.count == 4)
        for example in examples {
            let line = example.split(separator: "\n")[0]
            let input = Shape(
                line.split(whereSeparator: { "[,]".contains($0) }).dropFirst().map {
                    Int($0.trimmingCharacters(in: .whitespaces))!
                })
            let model = try ModelDescription(yaml: example, source: "docs").build(input: input)
            #expect(model(Tensor.zeros(Shape([2] + input))).rank == 2)
        }
        // Every layer has a row.
        for kind in LayerKind.allCases { #expect(text.contains("`\(kind.rawValue)`")) }
    }

    /// Layers of every geometry, with the shape of a sample before and after.
    static let geometries: [(String, Shape, Shape)] = [
        ("conv1D: {outputs: 4, kernel: 5, strides: 2, dilations: 2}", [20, 3], [6, 4]),
        (
            "conv2D: {outputs: 4, kernel: [2, 3], strides: [2, 1], padding: 1}", [7, 5, 3],
            [4, 5, 4]
        ),
        ("conv2D: {outputs: 4, kernel: 3, strides: 2, padding: same}", [7, 5, 3], [4, 3, 4]),
        (
            "conv3D: {outputs: 4, kernel: [1, 2, 3], strides: [1, 2, 1], padding: [0, 1, 1]}",
            [4, 7, 5, 3], [4, 4, 5, 4]
        ),
        ("depthwiseConv3D: {kernel: 2, multiplier: 2}", [4, 3, 5, 2], [3, 2, 4, 4]),
        ("depthwiseConv1D: {kernel: 3}", [9, 4], [7, 4]),
        ("depthwiseConv2D: {kernel: 3, multiplier: 3}", [9, 8, 2], [7, 6, 6]),
        ("convTranspose1D: {outputs: 2, kernel: 4, strides: 2, padding: 1}", [5, 3], [10, 2]),
        (
            "convTranspose2D: {outputs: 2, kernel: 3, strides: 2, padding: same}", [5, 4, 3],
            [10, 8, 2]
        ),
        ("maxPool: 2", [7, 6, 3], [3, 3, 3]),
        ("maxPool: {size: 2, roundsUp: true}", [7, 3], [4, 3]),
        ("averagePool: {size: [3, 2], strides: 1, padding: same}", [7, 6, 3], [7, 6, 3]),
        ("globalMaxPool", [7, 6, 3], [3]), ("adaptiveMaxPool: 2", [7, 6, 3], [2, 2, 3]),
        ("pad: 2", [7, 3], [11, 3]), ("pad: {before: 1, mode: circular}", [7, 6, 3], [8, 7, 3]),
        ("upsample: 3", [7, 6, 3], [21, 18, 3]),
    ]

    @Test("Shapes follow from layer to layer", arguments: geometries.indices)
    func shapes(_ index: Int) throws {
        let (text, input, output) = Self.geometries[index]
        // The dense layer behind is made for the shape that the builder expects.
        let model = try ModelDescription(yaml: "- \(text)\n- flatten\n- dense: 2", source: "m")
            .build(input: input)
        let first = model.layers[0]
        #expect(first(Tensor.zeros(Shape([2] + input))).shape == Shape([2] + output))
        #expect((model.layers[2] as? Dense)?.inputs == output.elementCount)
    }

    @Test(
        "What does not fit is named with its place",
        arguments: zip(
            [
                "- conv2D: {kernel: 3}", "- conv2D: {outputs: 4}",
                "- conv2D: {outputs: 4, kernel: [3, 3, 3]}", "- conv2D: {outputs: 4, kernel: 0}",
                "- conv2D: {outputs: 4, kernel: 9}",
                "- conv2D: {outputs: 4, kernel: 3, strides: 0}",
                "- conv2D: {outputs: 4, kernel: 3, groups: 2}", "- conv1D: {outputs: 4, kernel: 3}",
                "- conv2D: {outputs: 4, kernel: 3, padding: some}",
                "- conv2D: {outputs: 4, kernel: 3, padding: [1, 2, 3]}",
                "- conv2D: {outputs: 60000, kernel: 300, padding: 300}", "- maxPool: 9",
                "- maxPool: {size: 2, padding: 2}", "- maxPool", "- pad: {sides: 8, mode: reflect}",
                "- pad: {sides: 1, mode: foggy}", "- upsample: {factor: 2, mode: cubic}",
                "- upsample: 60000", "- upsample: -1", "- globalAveragePool\n- globalAveragePool",
                "- convTranspose2D: {outputs: 2, kernel: 3, outputPadding: 1}",
                "- convTranspose2D: {outputs: 2, kernel: 1, padding: 4}",
                "- adaptiveMaxPool", "- residual: {shortcut: [relu]}",
                "- residual:\n    - maxPool: 2",
                "- residual: {layers: [relu], shortcut: [relu, {maxPool: 9}]}",
                "- conv3D: {outputs: 4, kernel: 3}",
                "- residual: {layers: [relu], zeroGamma: true}",
                "- residual: {layers: [{layerNorm: {scale: false}}], zeroGamma: true}",
                "- reshape: [168, 1]\n- upsample: 60000",
                "- reshape: [168, 1]\n- pad: 60000\n- upsample: 60",
                "- reshape: [168, 1]\n- upsample: 1000\n- averagePool: {size: 100, strides: 1}",
                """
                - reshape: [168, 1]
                - convTranspose1D: {outputs: 1, kernel: 1, strides: 60000}
                - maxPool: 2
                """,
            ],
            [
                "layer 0 (conv2D): outputs: expected 1", "layer 0 (conv2D): kernel: expected 1",
                "found [3, 3, 3]", "found [0]", "reaches over 9 positions", "strides: expected 1",
                "2 do not divide 3 input", "[length, channels], found [8, 7, 3]",
                "expected same, valid", "padding: expected 0", "parameters in all",
                "layer 0 (maxPool): a window that reaches over 9", "less than the size",
                "size: expected 1", "more than an extent of 8", "expected one of zeros, reflect",
                "nearest or linear", "more than 1073741824 elements", "factor: expected 1",
                "layer 1 (globalAveragePool): expected samples of one", "less than the strides",
                "leaves nothing", "extents: expected 1", "under 'layers'",
                "the branch gives samples of [4, 3, 3], the shortcut [8, 7, 3]",
                "layer 0 (residual), shortcut, layer 1 (maxPool): a window",
                "[depth, height, width, channels], found [8, 7, 3]",
                "zeroGamma: expected a branch that ends with a normalizer", "found layerNorm",
                "layer 1 (upsample): expected at most 4194304 positions", "found 7210080 along",
                "layer 2 (averagePool): expected at most 4194304 elements of windows",
                "layer 2 (maxPool): expected at most 4194304 positions",
            ]))
    func misfits(text: String, message: String) throws {
        let description = try ModelDescription(yaml: text, source: "m")
        let error = #expect(throws: ConfigurationError.self) {
            try description.build(input: [8, 7, 3])
        }
        #expect("\(error!)".contains(message), "\(error!)")
    }

    @Test("A residual block begins as its shortcut with a gamma of zero", arguments: [true, false])
    func zeroGamma(isZero: Bool) throws {
        let description = try ModelDescription(
            yaml: """
                - residual:
                    layers: [dense: {outputs: 3}, batchNorm, relu, dense: {outputs: 3}, groupNorm: 3]
                    zeroGamma: \(isZero)
                """, source: "m")
        var configuration = RunConfiguration()
        configuration.model = description
        #expect(try RunConfiguration(yaml: configuration.yaml, source: "c") == configuration)
        let model = try description.build(input: [5, 3])
        model.initialize(seed: 2)
        let x = NDArray(Philox(key: 1).normal([4, 5, 3]), shape: [4, 5, 3]).converted(to: .float32)
        #expect((model(Tensor(x)).evaluate() == x) == isZero)
        let gammas = model.namedParameters.filter { $0.parameter.role == .scale }
        #expect(gammas.map(\.name) == ["0.branch.1.weight", "0.branch.4.weight"])
        #expect(gammas[0].parameter.value.elements(as: Float.self) == [1, 1, 1])
    }

    @Test("Anchors do not multiply layers without bound")
    func anchors() throws {
        /// Ten times the block before, so many times.
        func text(levels: Int) -> String {
            let blocks = (1..<levels).map { level in
                let part = "{residual: *a\(level - 1)}"
                let parts = [String](repeating: part, count: 10).joined(separator: ", ")
                return "- residual: &a\(level) [\(parts)]\n"
            }
            return "- residual: &a0 [relu, relu]\n" + blocks.joined()
        }
        let model = try ModelDescription(yaml: text(levels: 3), source: "m")
            .build(input: [4])
        #expect(model.namedModules.count { $0.module is ReLU } == 2 + 20 + 200)
        let error = #expect(throws: ConfigurationError.self) {
            try ModelDescription(yaml: text(levels: 20), source: "m")
        }
        #expect("\(error!)".contains("expected at most 4000 layers in all"), "\(error!)")
        #expect("\(error!)".hasPrefix("m:"))
    }

    @Test(
        "Mistakes in the text are named with their line",
        arguments: zip(
            [
                "- residual: 3", "- residual: []", "- residual:\n    - relu\n    - rel",
                "- residual: {layers: [relu], norm: no}", "- conv2D: 3",
                "- conv2D: {outputs: 3, kernel: big}", "- conv2D: {outputs: 3, kernel: {a: 1}}",
            ],
            [
                "m:1: residual, layers: expected a list", "expected at least one layer",
                "m:3: unknown layer 'rel'", "m:1: residual: unknown key 'norm'",
                "m:1: conv2D: expected options by name",
                "m:1: conv2D, kernel: expected a whole number",
                "m:1: conv2D, kernel: expected a list",
            ]))
    func mistakes(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try ModelDescription(yaml: text, source: "m")
        }
        #expect("\(error!)".contains(message), "\(error!)")
    }
}
