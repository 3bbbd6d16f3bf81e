import Arrays
import Graph
import Layers
import Normalization
import Runtime

/// A layer of the family with the shape of its input: what the tests of this folder draw from.
struct FamilyCase: CustomStringConvertible {
    let name: String
    let shape: Shape
    let make: () -> Module

    var description: String { "\(name) of \(shape)" }

    /// The layer with parameters that are neither 0 nor 1, in the given type.
    func layer(_ type: ElementType) -> Module {
        let module = make()
        module.convert(to: type)
        for (position, parameter) in module.parameters.enumerated() {
            let philox = Philox(key: UInt64(position + 40))
            let values = philox.uniform(parameter.shape, in: 0.5..<1.5)
            parameter.value = NDArray(values, shape: parameter.shape).converted(to: type)
        }
        return module
    }

    /// One case of each layer, with shapes, axes and options drawn by the generator.
    static func random(_ generator: inout PhiloxGenerator) -> FamilyCase {
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
        let rank = pick(2...5)
        var extents = (0..<rank).map { _ in pick(1...(rank > 3 ? 4 : 6)) }
        extents[0] = pick(2...5)
        let axis = pick(1...(rank - 1))
        let groups = pick(1...3)
        extents[axis] = groups * pick(1...3)
        let shape = Shape(extents)
        let channels = shape[axis]
        let named = pick(0...1) == 0 ? axis : axis - rank
        let axes = (0..<rank).filter { _ in pick(0...1) == 1 }
        let normalized = axes.isEmpty ? [rank - 1] : axes
        let normalizedShape = Shape(normalized.map { shape[$0] })
        let epsilon = [1e-5, 1e-3, 0.1][pick(0...2)]
        let size = pick(1...6)
        let options = "axis \(named), groups \(groups), axes \(normalized), epsilon \(epsilon)"
        func make(_ name: String, _ body: @escaping () -> Module) -> FamilyCase {
            FamilyCase(name: "\(name), \(options)", shape: shape, make: body)
        }
        switch pick(0...11) {
        case 0: return make("BatchNorm") { BatchNorm(channels, axis: named, epsilon: epsilon) }
        case 1:
            return make("LayerNorm") {
                LayerNorm(normalizedShape, axes: normalized, epsilon: epsilon)
            }
        case 2:
            return make("RMSNorm") { RMSNorm(normalizedShape, axes: normalized, epsilon: epsilon) }
        case 3:
            return make("GroupNorm") {
                GroupNorm(groups: groups, channels, axis: named, epsilon: epsilon)
            }
        case 4:
            return make("InstanceNorm") {
                InstanceNorm(channels, axis: named, epsilon: epsilon, scale: true, center: true)
            }
        case 5:
            let p = pick(1...2)
            return make("UnitNorm, p \(p)") { UnitNorm(axis: named, p: p) }
        case 6:
            return make("LocalResponseNorm, size \(size)") {
                LocalResponseNorm(size: size, alpha: 0.3, axis: named)
            }
        case 7:
            return make("FilterResponseNorm") {
                FilterResponseNorm(channels, axis: named, epsilon: epsilon)
            }
        case 8: return make("EvoNormB0") { EvoNormB0(channels, axis: named, epsilon: epsilon) }
        case 9:
            return make("EvoNormS0") {
                EvoNormS0(groups: groups, channels, axis: named, epsilon: epsilon)
            }
        case 10:
            return make("BatchRenorm") {
                BatchRenorm(
                    channels, axis: named, epsilon: epsilon, limits: .constant(rmax: 1.5, dmax: 1))
            }
        default:
            return make("GhostBatchNorm") {
                GhostBatchNorm(ghostSize: 2, channels, axis: named, epsilon: epsilon)
            }
        }
    }

    /// Whether every group of samples has two values per channel.
    var isDegenerate: Bool {
        let layer = make()
        let values: (Int, Int) -> Int = { channels, axis in
            let samples = layer is GhostBatchNorm ? min(shape[0], 2) : shape[0]
            return shape.elementCount / shape[0] / channels * samples
        }
        return switch layer {
        case let norm as BatchNorm: values(norm.channels, norm.axis) < 2
        case let norm as BatchRenorm: values(norm.channels, norm.axis) < 2
        case let norm as EvoNormB0: values(norm.channels, norm.axis) < 2
        case let norm as GhostBatchNorm: values(norm.norm.channels, norm.norm.axis) < 2
        default: false
        }
    }

    /// Normal numbers around an offset.
    func input(seed: UInt64, offset: Double = 0.3) -> NDArray {
        NDArray(Philox(key: seed).normal(shape).map { $0 * 1.5 + offset }, shape: shape)
    }

    /// The layer's output in training, the gradients of its input and parameters for `dy`, and its states.
    static func body(_ layer: Module) -> ([Tensor]) -> [Tensor] {
        { inputs in
            let parameters = layer.parameters.map(\.tensor)
            let y = layer(inputs[0], Context(.training))
            return [y] + pullback(of: [y], seeds: [inputs[1]], to: [inputs[0]] + parameters)
                + layer.states.map(\.tensor)
        }
    }
}
