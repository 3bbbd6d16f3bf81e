import ArgumentParser
import EvenKeel

/// `evenkeel fold`
struct Fold: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fold a run's batch norms into the layers beside them, for inference.",
        discussion: """
            Writes a run without the batch norms that stand behind, or in front of, a dense layer or a \
            convolution (also depthwise or transposed), and prints a certificate: the largest difference \
            of an output on test samples, and what rounding can explain. Norms that no such layer stands \
            beside stay, and are listed with the reason; so does a norm in front of a convolution that \
            pads with zeros. Refuses where folding would be wrong: no running statistics, statistics \
            that were never updated, a running variance near 0, or a difference beyond rounding.

            The new run can be evaluated, can predict and be inspected; it cannot be trained further.
            """)

    @OptionGroup var argument: RunArgument

    @Option(help: "The folder of the new run; there must be none yet.")
    var output: String

    @Flag(help: "One JSON object on standard output.")
    var json = false

    func run() throws {
        let target = RunFolder(output)
        guard !target.exists else {
            throw FileError(path: output, kind: .system, reason: "there is a run here already")
        }
        let trained = try argument.load()
        let certificate = try trained.model.fold(verifying: trained.test)
        var configuration = trained.configuration
        configuration.isFolded = true
        try target.create(configuration)
        try trained.model.write(to: target.model)
        let object = certificate.object
        try AtomicFile.write(object.text + "\n", to: target.folding)
        let console = Console(isJSON: json)
        console.say(
            """
            folded \(certificate.folded.count) batch norms: \(certificate.folded.joined(separator: ", "))
            largest difference on test samples  \(certificate.largestDifference)
            what rounding can explain           \(certificate.roundingBound)
            """)
        for (name, reason) in certificate.kept.sorted(by: { $0.key < $1.key }) {
            console.say("kept \(name): \(reason)")
        }
        console.event(object)
    }
}

extension FoldingCertificate {
    /// The certificate as `folding.json` holds it.
    fileprivate var object: JSONObject {
        let kept = self.kept.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return JSONObject([
            ("folded", .list(folded.map { .text($0) })), ("kept", .list(kept.map { .text($0) })),
            ("largestDifference", .number(largestDifference)),
            ("roundingBound", .number(roundingBound)),
        ])
    }
}
