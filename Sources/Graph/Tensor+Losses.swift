import Arrays

/// Losses against targets of the tensor's own shape. Each gives one number for a sample, `[samples]`: the
/// mean over the other axes. Take the `mean()` of that for a batch. (Integer labels: `crossEntropy`.)
extension Tensor {
    /// (x - target)^2
    public func meanSquaredError(_ target: Tensor) -> Tensor {
        difference(target, "meanSquaredError").square().samplewiseMean()
    }

    /// |x - target|
    public func meanAbsoluteError(_ target: Tensor) -> Tensor {
        difference(target, "meanAbsoluteError").abs().samplewiseMean()
    }

    /// With d = |x - target|: d^2 / 2 up to delta, delta (d - delta / 2) beyond (Huber 1964).
    public func huber(_ target: Tensor, delta: Double = 1) -> Tensor {
        precondition(delta > 0, "huber: expected a positive delta, found \(delta)")
        let difference = difference(target, "huber")
        // With c = clamp(d, -delta...delta), c (d - c / 2) is both branches in one.
        let clamped = difference.clamped(to: -delta...delta)
        return (clamped * (difference - clamped * 0.5)).samplewiseMean()
    }

    /// The binary cross-entropy of these logits with targets in 0...1; nothing overflows or cancels.
    public func binaryCrossEntropy(logits target: Tensor) -> Tensor {
        checkTarget(target, "binaryCrossEntropy")
        return (target * (-self).softplus() + (1 - target) * softplus()).samplewiseMean()
    }

    /// The binary cross-entropy of these probabilities with targets in 0...1.
    ///
    /// - Parameter epsilon: probabilities are clamped to `epsilon...1 - epsilon`, so that no loss is
    ///   infinite. Beyond that the gradient is 0; from logits, where there are any, it is better.
    public func binaryCrossEntropy(probabilities target: Tensor, epsilon: Double = 1e-7) -> Tensor {
        checkTarget(target, "binaryCrossEntropy")
        let p = clamped(to: epsilon...(1 - epsilon))
        return (-(target * p.log() + (1 - target) * (1 - p).log())).samplewiseMean()
    }

    private func checkTarget(_ target: Tensor, _ name: String) {
        precondition(
            target.spec == spec, "\(name): expected a target of \(spec), found \(target.spec)")
    }

    private func difference(_ target: Tensor, _ name: String) -> Tensor {
        checkTarget(target, name)
        return self - target
    }

    private func samplewiseMean() -> Tensor { rank <= 1 ? self : mean(axes: Array(1..<rank)) }
}
