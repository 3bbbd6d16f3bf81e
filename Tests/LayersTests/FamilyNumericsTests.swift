import Arrays
import Graph
import Layers
import Normalization
import Runtime
import Testing

/// Every layer with moments in every precision against the same layer in Double, at offsets and scales
/// where others cancel or overflow.
@Suite("Normalization family: numerics")
struct FamilyNumericsTests {
    /// Names with layers of 6 channels on an axis.
    static let layers: [(name: String, make: @Sendable (_ axis: Int) -> Module)] = [
        ("BatchNorm", { BatchNorm(6, axis: $0) }),
        ("GhostBatchNorm", { GhostBatchNorm(ghostSize: 4, 6, axis: $0) }),
        ("BatchRenorm", { BatchRenorm(6, axis: $0, limits: .constant()) }),
        ("LayerNorm", { LayerNorm([6], axes: [$0]) }),
        ("RMSNorm", { RMSNorm([6], axes: [$0]) }),
        ("GroupNorm", { GroupNorm(groups: 2, 6, axis: $0) }),
        ("InstanceNorm", { InstanceNorm(6, axis: $0, scale: true, center: true) }),
        ("FilterResponseNorm", { FilterResponseNorm(6, axis: $0, thresholds: false) }),
        ("EvoNormB0", { EvoNormB0(6, axis: $0) }),
        ("EvoNormS0", { EvoNormS0(groups: 2, 6, axis: $0) }),
    ]

    /// Those whose statistics are each of one sample and channel.
    static let ofSingleValues = ["InstanceNorm", "FilterResponseNorm", "EvoNormB0"]

    struct Inputs: Sendable, CustomStringConvertible {
        let offset: Double
        let scale: Double
        var description: String { "offset \(offset), scale \(scale)" }
    }

    static let wide: [Inputs] = [
        Inputs(offset: 0, scale: 1), Inputs(offset: 1e3, scale: 1), Inputs(offset: -1e6, scale: 1),
        Inputs(offset: 0, scale: 1e-6), Inputs(offset: 0, scale: 1e30),
    ]
    static let narrow: [(ElementType, Inputs)] = [
        (.bfloat16, Inputs(offset: 0, scale: 1)), (.bfloat16, Inputs(offset: 1e3, scale: 10)),
        (.bfloat16, Inputs(offset: 0, scale: 1e30)), (.float16, Inputs(offset: 0, scale: 1)),
        (.float16, Inputs(offset: 1e3, scale: 1)), (.float16, Inputs(offset: 0, scale: 1e4)),
    ]
    static let layouts: [(Shape, Int)] = [([40, 6], 1), ([9, 5, 4, 6], 3), ([9, 6, 5, 4], 1)]

    /// What a layer gives in a type (parameters and statistics in float32 or better), and the truth for the
    /// very same numbers: output, then gradients.
    private func results(
        _ make: (Int) -> Module, _ type: ElementType, _ inputs: Inputs, _ layout: (Shape, Int),
        _ upstream: Upstream = .normal, randomizes: Bool = true
    ) -> [(found: [Double], truth: [Double])] {
        let (shape, axis) = layout
        let x = NDArray(
            Philox(key: 5).normal(shape).map { inputs.offset + inputs.scale * $0 }, shape: shape
        ).converted(to: type)
        var dy = NDArray(
            Philox(key: 6).normal(shape).map { upstream.offset + upstream.scale * $0 }, shape: shape
        ).converted(to: type)
        func outputs(_ type: ElementType, _ backend: Backend) -> [NDArray] {
            let layer = make(axis)
            layer.convert(to: type == .float64 ? .float64 : .float32)
            for (position, parameter) in layer.parameters.enumerated() where randomizes {
                let values = Philox(key: UInt64(position + 7)).uniform(parameter.shape, in: 0.5..<2)
                parameter.value = NDArray(values, shape: parameter.shape)
                    .converted(to: .float32).converted(to: type == .float64 ? .float64 : .float32)
            }
            return Array(
                Step(backend: backend, FamilyCase.body(layer))(
                    x.converted(to: type), dy.converted(to: type)
                ).outputs.prefix(2 + layer.parameters.count))
        }
        if upstream.isOutput { dy = outputs(.float64, .reference)[0].converted(to: type) }
        return zip(outputs(type, .fast), outputs(.float64, .reference)).map {
            ($0.elements(), $1.elements())
        }
    }

    @Test(
        "float32: 4e-6 (1 + |y|), gradients 2e-5 of the largest", arguments: wide,
        layouts.indices)
    func float32(inputs: Inputs, layout: Int) {
        for (name, make) in Self.layers {
            let found = results(make, .float32, inputs, Self.layouts[layout])
            for (position, (a, b)) in found.enumerated() {
                // Of single values there is no gradient but rounding.
                if Self.ofSingleValues.contains(name), layout == 0, position > 0 { continue }
                let largest = b.map(abs).max() ?? 0
                let scale = largest > 0 ? largest : 1
                let worst =
                    zip(a, b).map { a, b in
                        position == 0 ? abs(a - b) / (1 + abs(b)) : abs(a - b) / scale
                    }.max() ?? 0
                #expect(
                    worst <= (position == 0 ? 4e-6 : 2e-5),
                    "\(name), \(Self.layouts[layout]): result \(position) is off by \(worst)")
            }
        }
    }

    /// What comes from behind the layer.
    struct Upstream: Sendable, CustomStringConvertible {
        var offset = 0.0
        var scale = 1.0
        /// The layer's own output, as behind the sum of its squares.
        var isOutput = false
        static let normal = Upstream()
        var description: String { isOutput ? "the output" : "\(offset) and \(scale) n" }
    }

    static let cancelling: [Upstream] = [
        Upstream(offset: 1, scale: 0.01), Upstream(offset: 1, scale: 1e-4), Upstream(offset: 1000),
        Upstream(isOutput: true),
    ]

    @Test(
        "float32 gradients of which nearly all cancels are right, too", arguments: cancelling,
        [0, 100, -1e5])
    func cancellation(upstream: Upstream, offset: Double) {
        let inputs = Inputs(offset: offset, scale: 1)
        let layouts: [(Shape, Int)] = [([300, 6], 1), ([17, 9, 8, 6], 3), ([17, 6, 9, 8], 1)]
        for (name, make) in Self.layers where !name.hasPrefix("EvoNorm") {
            for (index, layout) in layouts.enumerated() {
                if Self.ofSingleValues.contains(name), index == 0 { continue }
                // With gamma 1, as most begin, a constant cancels in groups of channels, too.
                let found = results(make, .float32, inputs, layout, upstream, randomizes: false)
                for (position, (a, b)) in found.enumerated().dropFirst() {
                    let largest = b.map(abs).max() ?? 0
                    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
                    #expect(
                        worst <= 2e-5 * largest,
                        "\(name), \(layout): gradient \(position) is off by \(worst) of \(largest)")
                }
            }
        }
    }

    @Test(
        "16 bits: one unit in the last place and 1e-3 of the value", arguments: narrow.indices,
        layouts.indices)
    func sixteenBits(index: Int, layout: Int) {
        let (type, inputs) = Self.narrow[index]
        let digits = type == .bfloat16 ? 7 : 10
        for (name, make) in Self.layers {
            let (found, truth) = results(make, type, inputs, Self.layouts[layout])[0]
            // What exceeds the type is infinite, rightly.
            let limit = type == .bfloat16 ? 3e38 : 65504
            for (y, t) in zip(found, truth) where abs(t) < limit {
                let last = Double(sign: .plus, exponent: t.exponent - digits, significand: 1)
                let unit = t == 0 ? 0x1p-24 : max(last, 0x1p-24)
                #expect(abs(y - t) <= unit + 1e-3 * abs(t), "\(name), \(type): \(y), not \(t)")
            }
        }
    }

    @Test("float64: 1e-11", arguments: [0, 1e6])
    func float64(offset: Double) {
        for layout in Self.layouts {
            for (name, make) in Self.layers {
                let pairs = results(make, .float64, Inputs(offset: offset, scale: 1), layout)
                for (y, t) in zip(pairs[0].found, pairs[0].truth) {
                    #expect(abs(y - t) <= 1e-11 * (1 + abs(t)), "\(name): \(y), not \(t)")
                }
            }
        }
    }

    @Test("Statistics beyond float32 stay finite, in both backends", arguments: Backend.allCases)
    func overflow(backend: Backend) {
        let x = NDArray(Philox(key: 3).normal([8, 2]).map { $0 * 1e30 }, shape: [8, 2])
        for average in [RunningAverage.pytorch(), .cumulative, .sliding(window: 2)] {
            let norm = BatchNorm(2, average: average)
            let step = Step(backend: backend) { [norm($0[0], Context(.training))] }
            #expect(step(x.converted(to: .float32)).isCommitted)
            let variance: [Float] = norm.statistics!.runningVariance.value.elements()
            #expect(variance == [Float](repeating: .greatestFiniteMagnitude, count: 2))
        }
    }
}
