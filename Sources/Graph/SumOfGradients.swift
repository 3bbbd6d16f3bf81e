import Arrays

/// The sum of what a tensor's readers give as its gradients; at least one.
///
/// A reader of a slice gives zeros all around the slice's gradient. To add up n of those would take n times
/// the tensor: slices that touch are put side by side in their place.
func sumOfGradients(_ gradients: [Tensor]) -> Tensor {
    let parts = joiningSlices(gradients)
    return parts.dropFirst().reduce(parts[0]) { $0 + $1 }
}

/// Zeros around a tensor along one axis.
private struct PaddedSlice {
    let inner: Tensor
    let axis: Int
    let start: Int
    var end: Int { start + inner.shape[axis] }

    init?(_ tensor: Tensor) {
        guard let pad = tensor.node.operation as? Pad else { return nil }
        let axes = pad.before.indices.filter { pad.before[$0] > 0 || pad.after[$0] > 0 }
        inner = tensor.node.inputs[0]
        guard axes.count == 1, inner.shape[axes[0]] > 0 else { return nil }
        axis = axes[0]
        start = pad.before[axis]
    }
}

private func joiningSlices(_ gradients: [Tensor]) -> [Tensor] {
    var result: [Tensor] = []
    var slices: [[PaddedSlice]] = []
    for gradient in gradients {
        guard let slice = PaddedSlice(gradient) else {
            result.append(gradient)
            continue
        }
        if let index = slices.firstIndex(where: { $0[0].axis == slice.axis }) {
            slices[index].append(slice)
        } else {
            slices.append([slice])
        }
    }
    guard let shape = gradients.first?.shape else { return [] }
    return result + slices.flatMap { runs($0).map { joined($0, shape) } }
}

/// Slices of one axis, in runs in which each begins where the one before it ends.
private func runs(_ slices: [PaddedSlice]) -> [[PaddedSlice]] {
    let sorted = slices.sorted { $0.start < $1.start }
    var waiting = Dictionary(grouping: sorted.reversed(), by: \.start)
    var result: [[PaddedSlice]] = []
    for start in sorted.map(\.start) {
        var run: [PaddedSlice] = []
        var next = start
        while let slice = waiting[next]?.popLast() {
            run.append(slice)
            next = slice.end
        }
        if !run.isEmpty { result.append(run) }
    }
    return result
}

private func joined(_ run: [PaddedSlice], _ shape: Shape) -> Tensor {
    let axis = run[0].axis
    var before = Array(repeating: 0, count: shape.rank)
    var after = before
    before[axis] = run[0].start
    after[axis] = shape[axis] - run[run.count - 1].end
    return Tensor.concatenate(run.map(\.inner), axis: axis).padded(before: before, after: after)
}
