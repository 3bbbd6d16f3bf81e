import Arrays

/// Conversion to another element type. To an integer: toward zero, clamped. To bool: not zero.
public struct Cast: Operation {
    public let type: ElementType

    public var name: String { "cast(\(type))" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        [TensorSpec(inputs[0].shape, type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        broadcastSharding(inputs, outputs[0])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        [type.isFloatingPoint ? call.gradient.cast(to: call.inputs[0].elementType) : nil]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        switch type {
        case .bool: [inputs[0].map { $0 != 0 ? 1 : 0 }]
        case .uint8: [inputs[0].map { T(UInt8.converting($0.doubleValue)) }]
        case .int32: [inputs[0].map { T(Int32.converting($0.doubleValue)) }]
        case .int64: [inputs[0].map { T(Int64.converting($0.doubleValue)) }]
        // The reference computes in one precision throughout: rounding is not part of the meaning.
        case .bfloat16, .float16, .float32, .float64: inputs
        }
    }
}

/// `condition ? a : b`, element by element, with broadcasting.
public struct Select: Operation {
    public var name: String { "select" }

    public func outputSpecs(_ inputs: [TensorSpec]) -> [TensorSpec] {
        guard inputs[0].type == .bool else {
            fail("expected a bool condition, found \(inputs[0])")
        }
        let type = commonType(Array(inputs.dropFirst()))
        guard let values = Shape.broadcast(inputs[1].shape, inputs[2].shape),
            let shape = Shape.broadcast(values, inputs[0].shape)
        else {
            fail(
                "the shapes \(inputs.map { "\($0.shape)" }.joined(separator: ", ")) do not broadcast"
            )
        }
        return [TensorSpec(shape, type)]
    }

    public func sharding(_ inputs: [TensorSpec], _ outputs: [TensorSpec]) -> Sharding {
        broadcastSharding(inputs, outputs[0])
    }

    public func inputGradients(_ call: GradientCall) -> [Tensor?] {
        let condition = call.inputs[0]
        let zero = Tensor(NDArray(scalar: 0.0).converted(to: call.gradient.elementType))
        return [
            nil,
            call.wanted[1]
                ? Tensor.select(condition, call.gradient, zero).sum(to: call.inputs[1].shape) : nil,
            call.wanted[2]
                ? Tensor.select(condition, zero, call.gradient).sum(to: call.inputs[2].shape) : nil,
        ]
    }

    public func reference<T: ReferenceScalar>(_ inputs: [Values<T>]) -> [Values<T>] {
        let shape = inputs.dropFirst().reduce(inputs[0].shape) { Shape.broadcast($0, $1.shape)! }
        let all = inputs.map { $0.broadcast(to: shape).elements }
        return [
            Values(shape: shape, all[0].indices.map { all[0][$0] != 0 ? all[1][$0] : all[2][$0] })
        ]
    }
}

extension Tensor {
    /// This tensor in another element type; itself where the type is the same.
    public func cast(to type: ElementType) -> Tensor {
        type == elementType ? self : Tensor(Cast(type: type), self)
    }

    /// `a` where the condition holds, `b` elsewhere. Traps unless the condition is bool.
    public static func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
        Tensor(Select(), condition, a, b)
    }
}
