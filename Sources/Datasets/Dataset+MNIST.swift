import Arrays
import Interchange

extension Dataset {
    /// Where Debian's package `dataset-fashion-mnist` puts its files.
    public static let fashionMNISTFolder = "/usr/share/datasets/fashion-mnist"

    /// The classes of Fashion-MNIST, in the order of its labels.
    public static let fashionMNISTClassNames = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
        "Ankle boot",
    ]

    /// Fashion-MNIST: 60,000 and 10,000 grey images of clothes, bytes `[samples, 28, 28, 1]`, ten
    /// classes.
    ///
    /// Xiao, Rasul, Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking machine
    /// learning algorithms". Reads the files of Debian's package; throws a sentence that says how
    /// to install it.
    public static func fashionMNIST() throws(DatasetError) -> (train: Dataset, test: Dataset) {
        do throws(DatasetError) {
            return try mnist(folder: fashionMNISTFolder, classNames: fashionMNISTClassNames)
        } catch .missing {
            throw .missing(
                "Fashion-MNIST is not installed in \(fashionMNISTFolder); on Debian: "
                    + "apt install dataset-fashion-mnist")
        }
    }

    /// A data set in four IDX files with MNIST's names: `train-images-idx3-ubyte`,
    /// `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, each also
    /// with `.gz` or with a dot in place of the last dash but one (`train-images.idx3-ubyte`).
    ///
    /// Images of rank 3 get a channel axis, `[samples, height, width, 1]`; bytes are scaled by
    /// 1/255 in the step. Both parts have the same classes. Throws when a file is missing or
    /// damaged, when counts differ, or when images of the two parts differ in shape.
    public static func mnist(folder: String, classNames: [String]? = nil) throws(DatasetError)
        -> (train: Dataset, test: Dataset)
    {
        let trainImages = try array(folder, "train-images", "idx3-ubyte")
        let trainLabels = try array(folder, "train-labels", "idx1-ubyte")
        let testImages = try array(folder, "t10k-images", "idx3-ubyte")
        let testLabels = try array(folder, "t10k-labels", "idx1-ubyte")
        guard trainImages.shape.dropFirst().elementsEqual(testImages.shape.dropFirst()) else {
            throw .inconsistent(
                "\(folder): images for training of shape \(trainImages.shape) and for testing of "
                    + "shape \(testImages.shape) differ")
        }
        // IDX integers have at most 32 bits; labels of other types are refused below.
        func largest(_ labels: NDArray) -> Int { Int(labels.elements(as: Int32.self).max() ?? 0) }
        let classCount = classNames?.count ?? max(largest(trainLabels), largest(testLabels)) + 1
        func part(_ images: NDArray, _ labels: NDArray, _ name: String) throws(DatasetError)
            -> Dataset
        {
            do throws(DatasetError) {
                return try Dataset(
                    features: images, labels: labels, classCount: classCount,
                    classNames: classNames,
                    scale: images.elementType == .uint8 ? 1 / 255 : 1)
            } catch {
                throw .inconsistent("\(folder), \(name): \(error)")
            }
        }
        return (
            train: try part(trainImages, trainLabels, "training part"),
            test: try part(testImages, testLabels, "test part")
        )
    }

    private static func array(_ folder: String, _ stem: String, _ suffix: String)
        throws(DatasetError) -> NDArray
    {
        let names = ["\(stem)-\(suffix)", "\(stem).\(suffix)"].flatMap { [$0, $0 + ".gz"] }
        for name in names {
            do throws(FileError) {
                let array = try IDX.read("\(folder)/\(name)")
                return array.shape.rank == 3 ? array.reshaped(Shape(array.shape + [1])) : array
            } catch {
                if error.kind != .notFound { throw .file(error) }
            }
        }
        throw .missing("\(folder): expected a file \(names[0]) or \(names[0]).gz, found neither")
    }
}
