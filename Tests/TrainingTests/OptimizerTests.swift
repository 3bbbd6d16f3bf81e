import Arrays
import Graph
import Layers
import Runtime
import Testing

import Training

/// A model that is nothing but parameters.
final class Cells: Module {
    let weight: Parameter
    let bias: Parameter

    init(weight: NDArray, bias: NDArray = NDArray([0.0])) {
        self.weight = Parameter(weight.shape, initializer: .zeros)
        self.bias = Parameter(bias.shape, role: .bias, initializer: .zeros)
        super.init()
        convert(to: .float64)
        self.weight.value = weight
        self.bias.value = bias
    }
}

@Suite("Optimizers")
struct OptimizerTests {
    struct File: Decodable {
        struct Case: Decodable {
            var optimizer: String
            var options: [String: Fixtures.Option]
            var initial: Fixtures.Tensor
            var gradients: Fixtures.Tensor
            var after: Fixtures.Tensor
        }
        struct Clipping: Decodable {
            var kind: String
            var limit: Double
            var gradients: [Fixtures.Tensor]
            var clipped: [Fixtures.Tensor]
        }
        var optimizers: [Case]
        var clipping: [Clipping]
    }

    static func make(_ test: File.Case) throws -> Optimizer {
        let o = test.options
        func number(_ key: String, _ fallback: Double) -> Double { o[key]?.number ?? fallback }
        let betas = o["betas"]?.list ?? [0.9, 0.999]
        let decay = number("weight_decay", 0)
        switch test.optimizer {
        case "sgd":
            return SGD(
                learningRate: number("lr", 0), momentum: number("momentum", 0),
                nesterov: o["nesterov"]?.flag ?? false, weightDecay: decay)
        case "adam":
            return Adam(
                learningRate: number("lr", 0), beta1: betas[0], beta2: betas[1],
                epsilon: number("eps", 1e-8), weightDecay: decay)
        case "adamW":
            return Adam.decoupled(
                learningRate: number("lr", 0), beta1: betas[0], beta2: betas[1],
                epsilon: number("eps", 1e-8), weightDecay: decay)
        default:
            return RMSProp(
                learningRate: number("lr", 0), alpha: number("alpha", 0.99),
                epsilon: number("eps", 1e-8), momentum: number("momentum", 0),
                centred: o["centered"]?.flag ?? false, weightDecay: decay)
        }
    }

    @Test("Ten steps are PyTorch's", arguments: 0..<14)
    func steps(index: Int) throws {
        let cases = try Fixtures.read("optimizers", as: File.self).optimizers
        try #require(cases.count == 14)
        let test = cases[index]
        let model = Cells(weight: test.initial.array)
        let optimizer = try Self.make(test)
        let named = model.namedParameters.filter { $0.name == "weight" }
        let step = Step(backend: .reference) { inputs in
            optimizer.update(named, [inputs[0]])
            return []
        }
        let gradients = test.gradients.array
        let after = test.after.array
        for row in 0..<10 {
            _ = step(gradients.rows(row..<(row + 1)).reshaped([5]))
            let found: [Double] = model.weight.value.elements()
            let expected: [Double] = after.rows(row..<(row + 1)).elements()
            for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-12 * (1 + abs(b))) }
        }
        #expect(optimizer.committedSteps == 10)
    }

    @Test("Clipping is PyTorch's", arguments: 0..<3)
    func clipping(index: Int) throws {
        let test = try Fixtures.read("optimizers", as: File.self).clipping[index]
        let clipping: GradientClipping =
            test.kind == "norm" ? .norm(test.limit) : .value(test.limit)
        let (gradients, scale) = clipping.apply(test.gradients.map { Tensor($0.array) })
        for (gradient, expected) in zip(gradients, test.clipped) {
            let found: [Double] = (gradient * scale).evaluate(backend: .reference).elements()
            for (a, b) in zip(found, expected.values) { #expect(abs(a - b) <= 1e-12) }
        }
    }

    @Test("Only weights decay, and L1 pulls toward zero by its factor")
    func groups() {
        let model = Cells(weight: NDArray([2.0, -2]), bias: NDArray([2.0]))
        let optimizer = SGD(learningRate: 1, weightDecay: 0.25, l1: 0.125)
        let zeros = [Tensor.zeros([2], .float64), Tensor.zeros([1], .float64)]
        _ = Step(backend: .reference) { _ in
            optimizer.update(model.namedParameters, zeros)
            return []
        }()
        #expect(model.weight.value.elements() == [1.375, -1.375])
        #expect(model.bias.value.elements() == [2.0])
    }

    @Test("A group has a learning rate of its own, and what is not trainable stays")
    func factors() {
        let model = Cells(weight: NDArray([1.0]), bias: NDArray([1.0]))
        let optimizer = SGD(
            learningRate: 0.5,
            groups: [ParameterGroup(roles: [.bias], learningRateFactor: 0.5)])
        let step = {
            _ = Step(backend: .reference) { _ in
                let loss = (model.weight.tensor + model.bias.tensor).sum()
                optimizer.minimize(loss, model)
                return []
            }()
        }
        step()
        #expect(model.weight.value.item() == 0.5)
        #expect(model.bias.value.item() == 0.75)
        model.weight.isTrainable = false
        step()
        #expect(model.weight.value.item() == 0.5)
        #expect(model.bias.value.item() == 0.5)
    }

    @Test("A step that does not commit does not count, and moments have names")
    func state() {
        let model = Cells(weight: NDArray([1.0, 2]))
        let optimizer = Adam(learningRate: 0.1)
        let step = Step(backend: .reference) { inputs in
            let loss = (model.weight.tensor * inputs[0]).sum()
            loss.requireFinite("loss")
            optimizer.minimize(loss, model)
            return [loss]
        }
        #expect(step(NDArray([Double.infinity, 1])).failedChecks == ["loss"])
        #expect(optimizer.committedSteps == 0)
        #expect(step(NDArray([1.0, 1])).isCommitted)
        #expect(optimizer.committedSteps == 1)
        #expect(
            optimizer.namedVariables(model).map(\.name) == [
                "step", "weight.first_moment", "weight.second_moment", "bias.first_moment",
                "bias.second_moment",
            ])
    }
}
