import Arrays
import Datasets
import Graph
import Layers
import Runtime

extension Module {
    /// Folds batch norms into the layers beside them, as the form for arrays does, and verifies it on the
    /// first samples of a data set, converted and scaled as the data says.
    ///
    /// - Parameter count: how many samples are tried; fewer where they are so large that memory matters.
    public func fold(verifying data: Dataset, count: Int = 1000) throws(FoldingError)
        -> FoldingCertificate
    {
        let elements = max(data.featureShape.elementCount, 1)
        let count = min(count, data.count, max(16, Self.verifiedElements / elements))
        let scaling = InputScaling(data)
        let gather = Step { [self.gatherInput($0[0], $0[1], scaling)] }
        let indices = NDArray((0..<count).map { Int32($0) })
        return try fold(verifying: gather(data.features, indices).outputs[0])
    }

    private static var verifiedElements: Int { 64 << 20 }
}
