import EvenKeel

let (train, test) = try Dataset.fashionMNIST()

let model = Sequential {
    Flatten()
    Dense(784, 128, bias: false, initializer: .heNormal)
    BatchNorm(128)
    ReLU()
    for _ in 0..<2 { GatedResidual(128) }
    Dense(128, 10)
}
model.initialize(seed: 1)
print("\(model.parameterCount) parameters, such as \(model.namedParameters[5].name)")

let epochs = 3
let optimizer = Adam(learningRate: 2e-3)
var loop = try TrainingLoop(model, optimizer, train, batchSize: 128, seed: 1)
let schedule = Schedule.cosine(steps: epochs * ((train.count + 127) / 128))

// A trainer evaluates a model whoever trained it.
let trainer = Trainer(model, loss: .crossEntropy, optimizer: optimizer, metrics: [.accuracy])
for epoch in 1...epochs {
    let loss = loop.epoch { 2e-3 * schedule.factor(step: $0) }
    let result = try trainer.evaluate(test)
    print("epoch \(epoch): loss \(loss), test accuracy \(result.metrics["accuracy"] ?? .nan)")
}

try model.write(to: "fashion.safetensors")
print("written: fashion.safetensors")
