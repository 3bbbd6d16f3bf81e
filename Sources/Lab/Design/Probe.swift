/// What is recorded of a trial.
package enum Probe: Hashable, Sendable {
    /// At the end: `testAccuracy`, `testLoss`, `trainAccuracy`, `trainLoss`, `gap` (of the accuracies),
    /// `diverged` (1 or 0) and `seconds`.
    case ending
    /// `testAccuracy` over the steps, and `trainingSeconds` at them.
    case accuracy(every: Int)
    /// Of every dense layer, at some steps: `gradientNorm@STEP` and `deviation@STEP` over the layer's number.
    case layers(atSteps: [Int])
    /// Percentiles of what goes into a unit's activation, over the steps: `unit15`, `unit50`, `unit85`; and
    /// `momentShift`, how far mean and deviation of the hidden layers' inputs have moved since the time
    /// before.
    case unit(every: Int)
    /// How smooth the loss is along the gradient: `lossRange` and `gradientChange` over the steps.
    case landscape(every: Int)
    /// The loss of the test data in training and in inference mode: `modeGap` over the steps.
    ///
    /// - population: whether running statistics are recomputed over training data before.
    case modes(every: Int, population: Bool)
    /// Milliseconds and bytes of steps and of inference.
    case cost
}
