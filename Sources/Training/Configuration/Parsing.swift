import Layers

extension Initializer {
    /// Reads an initializer's name: `he`, `he-uniform`, `he-fan-out`, `xavier`, `xavier-normal`, `lecun`,
    /// `lecun-uniform`, `orthogonal`, `zeros`, `ones`, or with a number `normal=0.05`, `truncated=0.05`,
    /// `uniform=0.1`, `constant=1`, `orthogonal=1.4`.
    public init(parsing text: String) throws(ConfigurationError) {
        let (name, number) = try split(text)
        let refusal = ConfigurationError(
            "unknown initializer '\(text)'; known are he, he-uniform, he-fan-out, xavier, "
                + "xavier-normal, lecun, lecun-uniform, orthogonal, zeros, ones, normal=DEVIATION, "
                + "truncated=DEVIATION, uniform=BOUND, constant=VALUE")
        switch (name, number) {
        case ("he", nil): self = .heNormal
        case ("he-uniform", nil): self = .heUniform
        case ("he-fan-out", nil): self = .he(.normal, mode: .fanOut)
        case ("xavier", nil), ("glorot", nil): self = .xavierUniform
        case ("xavier-normal", nil), ("glorot-normal", nil): self = .xavierNormal
        case ("lecun", nil): self = .lecunNormal
        case ("lecun-uniform", nil): self = .lecunUniform
        case ("orthogonal", _): self = .orthogonal(gain: number ?? 1)
        case ("zeros", nil): self = .zeros
        case ("ones", nil): self = .ones
        case ("constant", let value?): self = .constant(value)
        case ("normal", let value?) where value >= 0: self = .normal(standardDeviation: value)
        case ("truncated", let value?) where value >= 0:
            self = .truncatedNormal(standardDeviation: value)
        case ("uniform", let value?) where value > 0: self = .uniform(in: -value..<value)
        default: throw refusal
        }
    }
}

extension Schedule {
    /// Reads a schedule for a training of so many steps: `constant`, `cosine`, `one-cycle`, or
    /// `step=STEPS` (a tenth after every so many).
    public init(parsing text: String, totalSteps: Int) throws(ConfigurationError) {
        let (name, number) = try split(text)
        let steps = number.flatMap { Int(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
        switch (name, steps) {
        case ("constant", nil) where number == nil: self = .constant
        case ("cosine", nil) where number == nil: self = .cosine(steps: totalSteps)
        case ("one-cycle", nil) where number == nil: self = .oneCycle(steps: totalSteps)
        case ("step", let steps?): self = .step(every: steps, factor: 0.1)
        default:
            throw ConfigurationError(
                "unknown schedule '\(text)'; known are constant, cosine, one-cycle, step=STEPS; a "
                    + "warm-up is an option of its own")
        }
    }
}

/// A name, and the number behind an equals sign.
private func split(_ text: String) throws(ConfigurationError) -> (name: String, number: Double?) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return (text, nil) }
    guard let number = Double(parts[1]), number.isFinite else {
        throw ConfigurationError("'\(text)': expected a number behind '=', found '\(parts[1])'")
    }
    return (String(parts[0]), number)
}
