import RealModule

/// How the learning rate goes over the steps of a training, as a factor of the optimizer's.
///
/// Computed on the host from the step's number alone, so that a resumed training goes on where it stopped.
public enum Schedule: Hashable, Sendable {
    case constant
    /// Multiplied by `factor` after every so many steps.
    case step(every: Int, factor: Double)
    /// Multiplied by `factor` at each of these steps.
    case multiStep(at: [Int], factor: Double)
    /// From 1 down to `minimum` in half a cosine over so many steps (Loshchilov and Hutter 2017), and
    /// `minimum` from then on.
    case cosine(steps: Int, minimum: Double = 0)
    /// Linearly from `startFactor` to 1 over so many steps, then another schedule from its beginning.
    indirect case warmup(steps: Int, startFactor: Double = 0.1, then: Schedule = .constant)
    /// Up in half a cosine from `1 / divisor` to 1, then down to `1 / (divisor * finalDivisor)` (Smith and
    /// Topin 2018, as PyTorch's `OneCycleLR`). The optimizer's learning rate is the maximum.
    ///
    /// - warmup: the share of the steps that go up.
    case oneCycle(
        steps: Int, warmup: Double = 0.3, divisor: Double = 25, finalDivisor: Double = 1e4)

    /// The factor at a step, counted from 0.
    public func factor(step: Int) -> Double {
        switch self {
        case .constant:
            return 1
        case .step(let every, let factor):
            return .pow(factor, step / max(every, 1))
        case .multiStep(let steps, let factor):
            return .pow(factor, steps.count { $0 <= step })
        case .cosine(let steps, let minimum):
            let progress = Double(min(step, steps)) / Double(max(steps, 1))
            return minimum + (1 - minimum) * (1 + .cos(.pi * progress)) / 2
        case .warmup(let steps, let start, let next):
            if step >= steps { return next.factor(step: step - steps) }
            return start + (1 - start) * Double(step) / Double(steps)
        case .oneCycle(let steps, let warmup, let divisor, let finalDivisor):
            // PyTorch's phases end at these positions, which need not be whole.
            let peak = warmup * Double(steps) - 1
            let last = Double(steps - 1)
            let position = min(Double(step), last)
            let (start, end) = (1 / divisor, 1 / (divisor * finalDivisor))
            if position <= peak {
                return Self.anneal(start, 1, peak > 0 ? position / peak : 1)
            }
            return Self.anneal(1, end, last > peak ? (position - peak) / (last - peak) : 1)
        }
    }

    private static func anneal(_ from: Double, _ to: Double, _ progress: Double) -> Double {
        to + (from - to) / 2 * (1 + .cos(.pi * progress))
    }
}
