import Arrays
import Graph
import Layers
import Testing

@Test("An observer is told of every module, parts first, with what goes in and comes out")
func callObserver() {
    final class Lister: CallObserver {
        var lines: [String] = []
        override func moduleWasCalled(
            _ module: Module, path: String, input: Tensor, output: Tensor
        ) {
            lines.append("\(path) \(type(of: module)) \(input.shape) \(output.shape)")
        }
    }
    let model = Sequential {
        Dense(2, 3)
        Sequential { ReLU() }
    }
    let lister = Lister()
    var context = Context(.inference)
    context.calls = lister
    _ = model(Tensor.zeros([4, 2]), context)
    #expect(
        lister.lines == [
            "0 Dense [4, 2] [4, 3]", "1.0 ReLU [4, 3] [4, 3]", "1 Sequential [4, 3] [4, 3]",
            " Sequential [4, 2] [4, 3]",
        ])
}
