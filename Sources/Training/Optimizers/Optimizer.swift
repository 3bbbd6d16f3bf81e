import Arrays
import Graph
import Layers

/// Updates a model's parameters from gradients, inside a step.
///
///     let step = Step { inputs in
///         let loss = model(inputs[0], Context(.training)).crossEntropy(inputs[1]).mean()
///         optimizer.minimize(loss, model)
///         return [loss]
///     }
///
/// The updates are proposals: the step commits them together with the running statistics, or drops all.
/// An optimizer belongs to one model; its moments are found by the parameters' names.
open class Optimizer {
    /// Used where a step is given no learning rate of its own. A compiled step keeps the value it was
    /// compiled with.
    public var learningRate: Double
    /// The first group that matches a parameter says how it is treated; without one, nothing is special.
    public let groups: [ParameterGroup]
    public let clipping: GradientClipping?

    private var moments: [String: [Variable]] = [:]
    private let stepCount = Variable(NDArray(scalar: Int64(0)))

    public init(learningRate: Double, groups: [ParameterGroup], clipping: GradientClipping?) {
        precondition(
            learningRate >= 0 && learningRate.isFinite,
            "an optimizer's learning rate cannot be negative, found \(learningRate)")
        self.learningRate = learningRate
        self.groups = groups
        self.clipping = clipping
    }

    // MARK: - What kinds of optimizers say

    /// The names of the moments that are kept for each parameter, in the order of the update's inputs.
    open var momentNames: [String] { [] }

    /// Whether weight decay shrinks the weights directly instead of adding to the gradient.
    open var isDecayDecoupled: Bool { false }

    /// The update for a coupled decay.
    open func operation(decay: Double) -> any OptimizerUpdate {
        preconditionFailure("\(Self.self) does not override operation(decay:)")
    }

    /// Step size and root correction at step `count` (1 for the first), all float64 scalars.
    open func stepSize(_ learningRate: Tensor, count: Tensor) -> (
        stepSize: Tensor, rootCorrection: Tensor
    ) {
        (learningRate, Tensor.ones([], .float64))
    }

    // MARK: - Updating

    /// Differentiates a scalar loss and proposes new values for the model's trainable parameters.
    ///
    /// - Parameter learningRate: a float64 scalar, such as an input of the step; nil takes the property.
    public func minimize(_ loss: Tensor, _ model: Module, learningRate: Tensor? = nil) {
        let parameters = model.namedParameters.filter(\.parameter.isTrainable)
        let gradients = loss.gradients(parameters.map(\.parameter.tensor))
        update(parameters, gradients, learningRate: learningRate)
    }

    /// Proposes new values for parameters, given a gradient for each.
    public func update(
        _ parameters: [(name: String, parameter: Parameter)], _ gradients: [Tensor],
        learningRate: Tensor? = nil
    ) {
        precondition(
            parameters.count == gradients.count,
            "optimizer: \(parameters.count) parameters but \(gradients.count) gradients")
        let rate = learningRate ?? Tensor(repeating: self.learningRate, .float64)
        precondition(
            rate.spec == TensorSpec([], .float64),
            "optimizer: expected the learning rate as a float64 scalar, found \(rate.spec)")
        let penalized = zip(parameters, gradients).map { named, gradient in
            let l1 = group(named)?.l1 ?? 0
            return l1 == 0 ? gradient : gradient + named.parameter.tensor.sign() * l1
        }
        let (clipped, scale) =
            clipping?.apply(penalized) ?? (penalized, Tensor.ones([], .float64))
        let count = stepCount.tensor.cast(to: .float64) + 1
        var scalars: [[Double]: Tensor] = [:]
        for (named, gradient) in zip(parameters, clipped) {
            let factor = group(named)?.learningRateFactor ?? 1
            let decay = group(named)?.weightDecay ?? 0
            let shrinkage = isDecayDecoupled ? decay : 0
            let key = [factor, shrinkage]
            let vector =
                scalars[key] ?? self.scalars(rate * factor, shrinkage, count, scale: scale)
            scalars[key] = vector
            let moments = moments(named)
            let node = Node(
                operation(decay: isDecayDecoupled ? 0 : decay),
                [named.parameter.tensor, gradient] + moments.map(\.tensor) + [vector])
            for (variable, value) in zip([named.parameter.variable] + moments, node.tensors) {
                variable.propose(value)
            }
        }
        stepCount.propose(count.cast(to: .int64))
    }

    private func scalars(_ rate: Tensor, _ shrinkage: Double, _ count: Tensor, scale: Tensor)
        -> Tensor
    {
        let (stepSize, rootCorrection) = stepSize(rate, count: count)
        return Tensor.stack([stepSize, rootCorrection, rate * shrinkage, scale])
    }

    /// How a parameter is treated; nil is the plain way.
    func group(_ named: (name: String, parameter: Parameter)) -> ParameterGroup? {
        groups.first { $0.matches(named.name, named.parameter) }
    }

    private func moments(_ named: (name: String, parameter: Parameter)) -> [Variable] {
        let spec = named.parameter.variable.spec
        if let known = moments[named.name] {
            precondition(
                known.allSatisfy { $0.spec == spec },
                "optimizer: \(named.name) was of another shape or type before, found \(spec)")
            return known
        }
        let new = momentNames.map { _ in Variable(NDArray(zeros: spec.shape, spec.type)) }
        moments[named.name] = new
        return new
    }

    // MARK: - State

    /// Everything the optimizer remembers about a model, under the names of checkpoints:
    /// `step` and, for a parameter `1.weight`, names such as `1.weight.first_moment`.
    public func namedVariables(_ model: Module) -> [(name: String, variable: Variable)] {
        let perParameter = model.namedParameters.filter(\.parameter.isTrainable).flatMap { named in
            zip(momentNames, moments(named)).map { (name: "\(named.name).\($0)", variable: $1) }
        }
        return [(name: "step", variable: stepCount)] + perParameter
    }

    /// The number of updates that have been committed.
    public var committedSteps: Int { Int(stepCount.value.item(as: Int64.self)) }
}
