import Arrays
import Datasets
import Graph
import Layers

/// Random changes of images while a model is trained on them: more data than there is.
///
/// What happens to a sample follows from the trainer's seed, the epoch and the sample's index in the data;
/// batch size and threads do not matter, and a resumed training sees the same images. Only training is
/// augmented, evaluation is not. The data must be bytes `[samples, height, width, channels]`.
public struct Augmentation: Hashable, Sendable {
    /// Shifts by up to so many pixels in each direction, filling with zeros: a random crop of the image
    /// with such a border (He et al. 2016, section 4.2).
    public var padding: Int
    /// Mirrors half of the images left to right.
    public var flips: Bool
    /// The side of a square, anywhere in the image, that becomes zero (DeVries, Taylor 2017); 0 for none.
    public var cutout: Int
    /// The alpha of mixup (Zhang et al. 2018), in 0...1: each image is mixed with another one of the data
    /// and learns both answers in proportion; 0 for none.
    public var mixup: Double

    /// Traps when a number is out of range.
    public init(padding: Int = 0, flips: Bool = false, cutout: Int = 0, mixup: Double = 0) {
        precondition(
            (0...Int(Int16.max)).contains(padding) && cutout >= 0 && mixup >= 0 && mixup <= 1,
            "expected a padding of 0...\(Int16.max), a cutout of 0 or more and a mixup of 0...1, "
                + "found \(padding), \(cutout) and \(mixup)")
        self.padding = padding
        self.flips = flips
        self.cutout = cutout
        self.mixup = mixup
    }

    /// Throws unless the data are images of bytes.
    func check(_ data: Dataset) throws(TrainingError) {
        guard data.table.elementType == .uint8, data.table.shape.rank == 4 else {
            throw .invalid(
                "augmentation needs bytes [samples, height, width, channels], found "
                    + "\(data.table.elementType) \(data.table.shape)")
        }
    }
}

/// The input of a training step with the losses of its samples, augmented.
struct AugmentedBatch {
    let input: Tensor
    private let indices: Tensor
    /// With mixup, each sample's partner and the sample's own part.
    private let mixture: (partners: Tensor, parts: Tensor)?

    init(
        _ features: Tensor, _ indices: Tensor, epoch: Tensor, _ augmentation: Augmentation,
        _ scaling: InputScaling, seed: UInt64, _ type: ElementType
    ) {
        self.indices = indices
        let affine = scaling.perChannel(features.shape[3])
        let gather = AugmentedGather(
            seed: seed, padding: augmentation.padding, flips: augmentation.flips,
            cutout: augmentation.cutout, scale: affine.scale, shift: affine.shift)
        func images(_ indices: Tensor) -> Tensor {
            Node(gather, [features, indices, epoch]).tensors[0].cast(to: type)
        }
        guard augmentation.mixup > 0 else {
            mixture = nil
            input = images(indices)
            return
        }
        let pairs = MixupPartners(seed: seed, alpha: augmentation.mixup, count: features.shape[0])
        let tensors = Node(pairs, [indices, epoch]).tensors
        let (partners, parts) = (tensors[0], tensors[1].cast(to: type))
        mixture = (partners, parts)
        let others = images(partners)
        input = others + (images(indices) - others) * Self.expand(parts, to: 4)
    }

    /// The losses of the samples, with mixup of both answers in proportion.
    func losses(_ loss: Loss, _ output: Tensor, _ answers: Tensor) -> Tensor {
        let own = loss.samplewise(output, answers.gather(indices))
        guard let mixture else { return own }
        let other = loss.samplewise(output, answers.gather(mixture.partners))
        let parts = Self.expand(mixture.parts.cast(to: own.elementType), to: own.rank)
        return other + (own - other) * parts
    }

    private static func expand(_ parts: Tensor, to rank: Int) -> Tensor {
        (1..<max(rank, 1)).reduce(parts) { tensor, _ in tensor.expanded(axis: -1) }
    }
}
