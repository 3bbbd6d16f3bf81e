import Arrays
import RealModule

/// The cross-entropy of softmax(logits) with integer labels: one loss for each label.
///
/// Inputs: logits `[..., classes]` and int32 labels `[...]`. The target is `1 - smoothing` at the label
/// plus `smoothing / classes` everywhere (Szegedy et al. 2016, section 7). A label out of range gives NaN.
public struct SoftmaxCrossEntropy: Operation {
    /// In 0..<1.
    public let smoothing: Double

    public var name: String { "softmaxCrossEntropy" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let (logits, labels) = (inputs[0], inputs[1])
        checkIndices(labels)
        guard logits.type.isFloatingPoint, logits.shape.rank >= 1, logits.shape.last! > 0 else {
            fail("expected floating-point logits [..., classes], found \(logits)")
        }
        guard logits.shape.dropLast().elementsEqual(labels.shape) else {
            fail(
                "expected labels of \(Shape(Array(logits.shape.dropLast()))) for logits of "
                    + "\(logits.shape), found \(labels.shape)")
        }
        guard smoothing >= 0, smoothing < 1 else {
            fail("expected a label smoothing in 0..<1, found \(smoothing)")
        }
        return [TensorSpec(labels.shape, logits.type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        inputs[1].shape.rank == 0 ? .whole : .rows(aligned: [true, true])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let (logits, labels) = (call.inputs[0], call.inputs[1])
        let classes = logits.shape[logits.rank - 1]
        var target = labels.oneHot(classes: classes, logits.elementType)
        if smoothing != 0 { target = target * (1 - smoothing) + smoothing / Double(classes) }
        return [(logits.softmax() - target) * call.gradient.expanded(axis: -1), nil]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (logits, labels) = (inputs[0], inputs[1])
        let classes = logits.shape[logits.shape.rank - 1]
        var losses = labels
        for (sample, label) in labels.elements.enumerated() {
            guard let label = position(label, count: classes) else {
                losses.elements[sample] = .nan
                continue
            }
            let row = logits.elements[(sample * classes)..<((sample + 1) * classes)]
            let logSum = logSumExp(row)
            func loss(_ x: T) -> T { (logSum.maximum - x) + logSum.rest }
            losses.elements[sample] = T(1 - smoothing) * loss(row[row.startIndex + label])
            // Left out without smoothing: a logit of -infinity elsewhere is then no loss.
            if smoothing != 0 {
                losses.elements[sample] +=
                    T(smoothing) / T(classes) * row.reduce(0) { $0 + loss($1) }
            }
        }
        return [losses]
    }
}

extension Tensor {
    /// The cross-entropy of softmax of these logits `[..., classes]` with int32 labels `[...]`: one loss
    /// for each label, NaN for a label out of range.
    ///
    /// - Parameter labelSmoothing: how much of the target, in 0..<1, is spread evenly over all classes.
    public func crossEntropy(_ labels: Tensor, labelSmoothing: Double = 0) -> Tensor {
        Tensor(SoftmaxCrossEntropy(smoothing: labelSmoothing), self, labels)
    }
}
