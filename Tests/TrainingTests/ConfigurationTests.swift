import Arrays
import Datasets
import Layers
import Testing
import Training

@Suite("Descriptions of models and runs")
struct ConfigurationTests {
    static let text = """
        layers:
          - flatten
          - dense: {outputs: 32, bias: false, init: xavier}
          - batchNorm: {epsilon: 1e-3, average: sliding, window: 10, variance: biased}
          - gelu: {approximate: true}
          - dropout: 0.25
          - layerNorm
          - reshape: [4, 8]
          - flatten
          - dense: 10
        """

    @Test("A description builds its layers, and survives being written and read")
    func build() throws {
        let description = try ModelDescription(yaml: Self.text, source: "m.yaml")
        let model = try description.build(input: [28, 28, 1])
        #expect(
            model.layers.map { "\(type(of: $0))" } == [
                "Flatten", "Dense", "BatchNorm", "GELU", "Dropout", "LayerNorm", "Reshape",
                "Flatten", "Dense",
            ])
        #expect(model.namedParameters[0].parameter.shape == [32, 784])
        #expect(model.layers[2] is BatchNorm)
        #expect((model.layers[2] as! BatchNorm).epsilon == 1e-3)

        var configuration = RunConfiguration()
        configuration.model = description
        configuration.seed = .max
        configuration.length = .steps(17)
        configuration.learningRate = 1e-5
        configuration.precision = .bfloat16
        configuration.imageSize = ImageFolder.Size(height: 48, width: 64)
        #expect(try RunConfiguration(yaml: configuration.yaml, source: "c") == configuration)
        let plain = RunConfiguration()
        #expect(try RunConfiguration(yaml: plain.yaml, source: "c") == plain)
    }

    @Test("Sizes of images are one number or two")
    func imageSizes() throws {
        for (text, size) in [("32", (32, 32)), ("48x64", (48, 64)), ("1x16384", (1, 16384))] {
            let configuration = try RunConfiguration(yaml: "imageSize: \(text)", source: "c")
            #expect(
                configuration.imageSize == ImageFolder.Size(height: size.0, width: size.1))
        }
        for text in [
            "0", "-3", "32x", "x32", "3x4x5", "16385", "1.5", "wide", "99999999999999999999",
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try RunConfiguration(yaml: "seed: 1\nimageSize: \(text)", source: "c")
            }
            #expect(
                "\(try #require(error))".hasPrefix("c:2: imageSize: expected HEIGHTxWIDTH"),
                "\(text): \(error!)")
        }
    }

    @Test(
        "What is wrong is named with its line",
        arguments: zip(
            [
                "- flaten", "layers:\n  - relu\n  - dense: {outputs: 3, bia: no}",
                "- dense: many", "- dense: {outputs: 3, outputs: 4}", "- relu: 3", "[]", "3",
                "layer: [relu]", "- [relu]", "- dense: {outputs: 1.5}", "- dense: {bias: 3}",
                "a: [",
                "",
            ],
            [
                "m:1: unknown layer 'flaten'", "m:3: dense: unknown key 'bia'",
                "m:1: dense, outputs: expected a whole number, found 'many'", "m",
                "m:1: relu: expected options by name", "expected at least one layer", "expected",
                "m:1: model: unknown key 'layer'", "m:1: expected a layer's name",
                "expected a whole number, found '1.5'", "expected true or false, found '3'", "m: ",
                "m: the file is empty",
            ]))
    func mistakes(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try ModelDescription(yaml: text, source: "m")
        }
        #expect("\(error!)".contains(message), "\(error!)")
    }

    @Test(
        "What does not fit together is named with its layer",
        arguments: zip(
            [
                "- dense: 0", "- dense: 4000000000000", "- batchNorm: {axis: 3}",
                "- batchNorm: {variance: both}", "- batchNorm: {epsilon: 0}", "- dropout: 1",
                "- reshape: [3]", "- reshape: [-4, -4]", "- dense: {outputs: 2, init: magic}",
                "- batchNorm: {average: some}", "- dense: {bias: true}",
            ],
            [
                "layer 0 (dense): outputs", "layer 0 (dense): outputs", "no channel axis 3",
                "expected biased or unbiased", "expected a positive number", "below 1, found 1",
                "[3] has 3 elements, samples of [16] have 16", "shape: found [-4, -4]",
                "unknown initializer 'magic'", "expected exponential, cumulative",
                "expected the number of outputs",
            ]))
    func misfits(text: String, message: String) throws {
        let description = try ModelDescription(yaml: text, source: "m")
        let error = #expect(throws: ConfigurationError.self) { try description.build(input: [16]) }
        #expect("\(error!)".contains(message), "\(error!)")
    }

    @Test(
        "Configurations are checked",
        arguments: [
            "epochs: 3\nsteps: 4", "learningRate: -1", "learningRate: .nan", "batchSize: 0",
            "optimizer: magic", "colour: red", "seed: -1", "hidden: [0]", "dropout: 1",
            "activation: dense", "init: normal=x", "schedule: step", "norm: 3", "model: resnet",
        ])
    func configurations(text: String) {
        #expect(throws: ConfigurationError.self) { try RunConfiguration(yaml: text, source: "c") }
    }

    @Test("Deep nesting and long texts are refused before they are parsed")
    func hostile() {
        for text in [
            String(repeating: "[", count: 50_000), String(repeating: "- ", count: 30_000),
            String(repeating: "- relu\n", count: 20_000),
        ] {
            #expect(throws: ConfigurationError.self) {
                try ModelDescription(yaml: text, source: "m")
            }
        }
    }

    @Test("Schedules and initializers by name")
    func names() throws {
        #expect(try Schedule(parsing: "cosine", totalSteps: 9) == .cosine(steps: 9))
        var configuration = RunConfiguration()
        configuration.warmUp = 4
        #expect(
            try configuration.makeSchedule(totalSteps: 9)
                == .warmup(steps: 4, then: .cosine(steps: 5)))
        #expect(try Initializer(parsing: "normal=0.05") == .normal(standardDeviation: 0.05))
        #expect(try Initializer(parsing: "he") == .heNormal)
    }
}
