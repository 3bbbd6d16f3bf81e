import Arrays

/// Images of a table of bytes, each changed at random, as numbers: how a training step takes its batch.
///
/// Inputs: a uint8 table `[rows, height, width, channels]`, int32 indices `[samples]`, and the epoch, an
/// int64 scalar. Output: float32 `[samples, height, width, channels]`, `byte * scale + shift` for each
/// channel, after a shift of the image by up to `padding` pixels in each direction and a mirroring, with
/// zeros where the shifted image has nothing and in a square that is cut out. An index outside the table
/// gives zeros.
///
/// What happens to a sample depends on the seed, the epoch and its index alone, never on its place in the
/// batch, the shard, the thread or the machine.
public struct AugmentedGather: Operation {
    public let seed: UInt64
    /// The largest shift in pixels: a crop of the original size out of an image with such a border
    /// (He et al. 2016, section 4.2).
    public let padding: Int
    /// Whether half of the images are mirrored left to right.
    public let flips: Bool
    /// The side of the square that becomes zero, its centre anywhere in the image (DeVries, Taylor 2017,
    /// "Cutout"); 0 for none.
    public let cutout: Int
    /// One for each channel.
    public let scale: [Double]
    public let shift: [Double]

    public init(
        seed: UInt64, padding: Int = 0, flips: Bool = false, cutout: Int = 0, scale: [Double],
        shift: [Double]
    ) {
        self.seed = seed
        self.padding = padding
        self.flips = flips
        self.cutout = cutout
        self.scale = scale
        self.shift = shift
    }

    public var name: String {
        let parts = [
            padding > 0 ? "crop \(padding)" : nil, flips ? "flip" : nil,
            cutout > 0 ? "cutout \(cutout)" : nil, "scale",
        ]
        return "augmentedGather(" + parts.compactMap { $0 }.joined(separator: ", ") + ")"
    }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        let (table, indices, epoch) = (inputs[0], inputs[1], inputs[2])
        guard table.shape.rank == 4, table.type == .uint8 else {
            fail("expected uint8 images [rows, height, width, channels], found \(table)")
        }
        checkIndices(indices)
        guard indices.shape.rank == 1 else {
            fail("expected the samples' indices of shape [samples], found \(indices)")
        }
        guard epoch.shape == [], epoch.type == .int64 else {
            fail("expected the epoch as an int64 scalar, found \(epoch)")
        }
        guard scale.count == table.shape[3], shift.count == table.shape[3] else {
            fail(
                "expected a scale and a shift for each of the \(table.shape[3]) channels, found "
                    + "\(scale.count) and \(shift.count)")
        }
        guard (0...Int(Int16.max)).contains(padding), cutout >= 0 else {
            fail(
                "expected a padding of 0...\(Int16.max) and a cutout of 0 or more, found "
                    + "\(padding) and \(cutout)")
        }
        return [TensorSpec(Shape(indices.shape.dimensions + table.shape.dropFirst()), .float32)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        .rows(aligned: [false, true, false])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] { [nil, nil, nil] }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let (table, indices) = (inputs[0], inputs[1])
        let (height, width, channels) = (table.shape[1], table.shape[2], table.shape[3])
        let epoch = Int64(inputs[2].elements[0])
        var elements: [T] = []
        for value in indices.elements {
            let row = position(value, count: table.shape[0])
            let draw = draw(epoch: epoch, index: Int32(value), height: height, width: width)
            for y in 0..<height {
                for x in 0..<width {
                    let sourceY = y + draw.down
                    let sourceX = (draw.isMirrored ? width - 1 - x : x) + draw.right
                    let isInside =
                        (0..<height).contains(sourceY) && (0..<width).contains(sourceX)
                        && !(draw.cutRows.contains(y) && draw.cutColumns.contains(x))
                    for channel in 0..<channels {
                        guard let row, isInside else {
                            elements.append(0)
                            continue
                        }
                        let place = ((row * height + sourceY) * width + sourceX) * channels
                        elements.append(
                            table.elements[place + channel] * T(scale[channel]) + T(shift[channel]))
                    }
                }
            }
        }
        return [Values(shape: Shape(indices.shape.dimensions + table.shape.dropFirst()), elements)]
    }

    /// What happens to one sample.
    public struct Draw: Hashable, Sendable {
        /// Output row y shows row `y + down` of the image; so do columns, before mirroring.
        public var down = 0
        public var right = 0
        public var isMirrored = false
        /// Rows and columns of the output that are cut out, where both hold.
        public var cutRows = 0..<0
        public var cutColumns = 0..<0
    }

    public func draw(epoch: Int64, index: Int32, height: Int, width: Int) -> Draw {
        let philox = Philox(key: seed).derived(0x4175_676D_656E_7400)
        let sample = UInt64(UInt32(bitPattern: index)) << 32
        let (first, second) = (
            philox(sample, UInt64(bitPattern: epoch)), philox(sample | 1, UInt64(bitPattern: epoch))
        )
        func number(_ word: UInt32, below bound: Int) -> Int {
            Int((UInt64(word) * UInt64(bound)) >> 32)
        }
        var draw = Draw()
        draw.down = number(first.0, below: 2 * padding + 1) - padding
        draw.right = number(first.1, below: 2 * padding + 1) - padding
        draw.isMirrored = flips && first.2 >> 31 == 1
        if cutout > 0, height > 0, width > 0 {
            func cut(_ word: UInt32, _ extent: Int) -> Range<Int> {
                let start = number(word, below: extent) - cutout / 2
                return max(start, 0)..<min(start + cutout, extent)
            }
            draw.cutRows = cut(second.0, height)
            draw.cutColumns = cut(second.1, width)
        }
        return draw
    }
}
