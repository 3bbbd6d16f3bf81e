import Arrays
import Graph
import Layers
import Normalization
import Runtime
import Testing

@Suite("Batch norm")
struct BatchNormTests {
    static func input(_ shape: Shape, seed: UInt64 = 1, offset: Double = 3) -> NDArray {
        NDArray(Philox(key: seed).normal(shape).map { $0 * 2 + offset }, shape: shape)
    }

    /// Rows of one value per channel, for a channel axis anywhere.
    static func rows(_ array: NDArray, axis: Int) -> [[Double]] {
        let axis = array.shape.normalized(axis: axis)
        let values: [Double] = array.elements()
        let strides = array.shape.strides
        var rows: [[Int]: [Double]] = [:]
        array.shape.forEachIndex { index in
            var position = index
            position.remove(at: axis)
            rows[position, default: []].append(
                values[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }])
        }
        return Array(rows.values)
    }

    @Test(
        "Training output has mean beta and deviation gamma on any channel axis",
        arguments: zip([Shape([6, 3]), [4, 5, 3], [4, 3, 5], [2, 3, 2, 4]], [-1, 2, 1, -3]))
    func normalizes(shape: Shape, axis: Int) {
        let norm = BatchNorm(
            3, axis: axis, epsilon: 1e-12, gammaInitializer: .constant(2),
            betaInitializer: .constant(-1))
        let x = Self.input(shape)
        let step = Step(backend: .reference) { [norm($0[0], Context(.training))] }
        let y = step(x).outputs[0]
        let moments = ChannelMoments(rows: Self.rows(y, axis: axis), channels: 3)
        for channel in 0..<3 {
            #expect(abs(moments.mean[channel] + 1) < 1e-9)
            #expect(abs(moments.variance()[channel] - 4) < 1e-9)
        }
        // Inference with the statistics of another distribution is another function.
        #expect(norm(Tensor(x)).evaluate(backend: .reference) != y)
    }

    @Test(
        "Running statistics follow the definition of every average",
        arguments: [
            RunningAverage.pytorch(), .keras(), .cumulative, .cumulative(weightedByCount: true),
            .sliding(window: 3), .sliding(window: 2, weightedByCount: true),
            .exponential(weight: 0.2, debiased: true),
            .exponential(weight: 0.2, weightedByCount: true),
            .exponential(weight: 0.2, debiased: true, weightedByCount: true),
        ], VarianceKind.allCases)
    func averages(average: RunningAverage, kind: VarianceKind) {
        let norm = BatchNorm(3, average: average, variance: kind)
        norm.convert(to: .float64)
        let step = Step(backend: .reference) { [norm($0[0], Context(.training))] }
        let batches = [5, 4, 4, 2, 7].enumerated().map {
            Self.input([$1, 3], seed: UInt64($0), offset: Double($0))
        }
        for batch in batches { #expect(step(batch).isCommitted) }
        let moments = batches.map {
            ChannelMoments(rows: Self.rows($0, axis: 1), channels: 3)
        }
        let means: [Double] = norm.statistics!.runningMean.value.elements()
        let variances: [Double] = norm.statistics!.runningVariance.value.elements()
        for channel in 0..<3 {
            let counts = moments.map(\.count)
            let mean = average.sequence(
                initial: 0, values: moments.map { $0.mean[channel] }, counts: counts)
            let variance = average.sequence(
                initial: 1, values: moments.map { $0.variance(kind)[channel] }, counts: counts)
            #expect(abs(means[channel] - mean.last!) < 1e-12)
            #expect(abs(variances[channel] - variance.last!) < 1e-12)
        }
        #expect(norm.statistics!.batchCount.value.item(as: Int64.self) == 5)
    }

    @Test("A mask keeps padding out of the statistics, even NaN")
    func mask() {
        let norm = BatchNorm(2)
        norm.convert(to: .float64)
        let x = NDArray([1.0, 2, .nan, .nan, 3, 6, 5, 4], shape: [2, 2, 2])
        let mask = NDArray([1.0, 0, 1, 1], shape: [2, 2])
        let step = Step(backend: .reference) {
            [norm($0[0], Context(.training), mask: $0[1])]
        }
        let outcome = step(x, mask)
        #expect(outcome.isCommitted)
        let mean: [Double] = norm.statistics!.runningMean.value.elements()
        #expect(abs(mean[0] - 0.3) < 1e-12)
        #expect(abs(mean[1] - 0.4) < 1e-12)

        let before = norm.states.map(\.value)
        #expect(step(x, NDArray(zeros: [2, 2], .float64)).isCommitted)
        #expect(norm.states.map(\.value) == before)
    }

    @Test("A batch that is not finite leaves everything as it was and says which layer")
    func poisoned() {
        let model = Sequential {
            Dense(2, 2)
            BatchNorm(2)
        }
        let step = Step(backend: .reference) { [model($0[0], Context(.training))] }
        let before = model.states.map(\.value)
        let outcome = step(NDArray([Float.nan, 1, 2, 3], shape: [2, 2]))
        #expect(outcome.failedChecks == ["1 BatchNorm: batch variance"])
        #expect(model.states.map(\.value) == before)
        #expect(step(NDArray([Float(0), 1, 2, 3], shape: [2, 2])).isCommitted)
        #expect(model.states.map(\.value) != before)
    }

    @Test("Which statistics normalize and which are updated are two questions")
    func frozen() {
        let norm = BatchNorm(3)
        norm.statistics!.runningMean.value = NDArray([Float(1), 2, 3])
        let x = Self.input([4, 3]).converted(to: .float32)
        func trained() -> NDArray {
            Step(backend: .reference) { [norm($0[0], Context(.training))] }(x).outputs[0]
        }
        let inference = norm(Tensor(x)).evaluate(backend: .reference)
        #expect(trained() != inference)

        norm.freezeStatistics()
        let before = norm.states.map(\.value)
        let frozenInference = norm(Tensor(x)).evaluate(backend: .reference)
        #expect(trained() == frozenInference)
        #expect(norm.states.map(\.value) == before)
        #expect(norm.parameters.allSatisfy { $0.isTrainable })

        norm.unfreezeStatistics()
        norm.updatesStatistics = false
        #expect(trained() != frozenInference)
        #expect(norm.states.map(\.value) == before)
        norm.updatesStatistics = true
        norm.normalization = .running
        #expect(trained() == frozenInference)
        #expect(norm.states.map(\.value) != before)
    }

    @Test("Without running statistics, inference uses the batch")
    func stateless() {
        let norm = BatchNorm(3, average: nil, scale: false, center: false)
        #expect(norm.namedStates.isEmpty && norm.namedParameters.isEmpty)
        let x = Tensor(Self.input([5, 3]))
        let y: [Double] = norm(x).sum(axes: [0]).evaluate(backend: .reference).elements()
        #expect(y.allSatisfy { abs($0) < 1e-12 })
    }

    @Test("One value per channel is refused with what to do instead")
    func oneValue() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent])
        {
            _ = Sequential([BatchNorm(3)])(Tensor.zeros([1, 3]), Context(.training))
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("0 BatchNorm: an input of [1, 3] has one value per channel"))
        #expect(text.contains("train with two samples or more"))
    }
}
