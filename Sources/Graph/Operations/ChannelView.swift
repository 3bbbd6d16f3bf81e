import Arrays

/// A tensor seen as [outer, channels, inner] around its channel axis.
public struct ChannelView: Hashable, Sendable {
    public let outer: Int
    public let channels: Int
    public let inner: Int

    public init(_ shape: Shape, axis: Int) {
        outer = shape[..<axis].reduce(1, *)
        channels = shape[axis]
        inner = shape[(axis + 1)...].reduce(1, *)
    }

    /// Visits every element with its offset, its channel and its position among `outer * inner`.
    func forEach(_ body: (_ offset: Int, _ channel: Int, _ position: Int) -> Void) {
        var offset = 0
        for o in 0..<outer {
            for c in 0..<channels {
                for i in 0..<inner {
                    body(offset, c, o * inner + i)
                    offset += 1
                }
            }
        }
    }
}

extension Operation {
    /// Checks a floating-point tensor of rank 2 or more whose channel axis is not the sample axis.
    func checkChannels(_ x: TensorSpec, axis: Int) -> Int {
        guard x.type.isFloatingPoint else { fail("expected a floating-point tensor, found \(x)") }
        guard axis > 0, axis < x.shape.rank else {
            fail("the channel axis must be in 1..<\(x.shape.rank) for \(x), found \(axis)")
        }
        return x.shape[axis]
    }

    /// Checks per-channel vectors: float64 of shape [channels].
    func checkVectors(_ vectors: some Sequence<TensorSpec>, channels: Int) {
        for vector in vectors where vector != TensorSpec([channels], .float64) {
            fail("expected per-channel float64 vectors of \(channels) elements, found \(vector)")
        }
    }
}
