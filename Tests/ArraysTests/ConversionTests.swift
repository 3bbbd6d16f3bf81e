import Arrays
import Testing

@Suite struct ConversionTests {
    /// Element types get no second initializer from a Double, which would make this ambiguous.
    @Test func initializersCanStillBeNamedWithoutLabels() {
        let doubles: [Double] = [0.5, -2]
        #expect(doubles.map(Float.init) == [0.5, -2])
        #expect(doubles.map(Int32.init) == [0, -2])
    }

    /// Every bfloat16 pattern is exact in Float and comes back; NaN stays NaN.
    @Test func everyBFloat16PatternSurvivesTheWayThroughFloat() {
        for pattern in UInt16.min ... .max {
            let value = BFloat16(bitPattern: pattern)
            let float = BFloat16(value.floatValue)
            let double = BFloat16.converting(value.doubleValue)
            if value.floatValue.isNaN {
                #expect(float.floatValue.isNaN && double.floatValue.isNaN)
            } else {
                #expect(float == value && double == value)
            }
        }
    }

    /// Between any two neighbours: just below the middle, the middle (ties to even), just above it.
    @Test(arguments: [false, true])
    func bfloat16RoundsToNearestEven(isNegative: Bool) {
        let sign: UInt16 = isNegative ? 0x8000 : 0
        func check(_ value: Double, _ expected: UInt16) {
            #expect(BFloat16.converting(value).bitPattern == expected | sign, "\(value)")
            // Float can hold the value itself: the same rounding from there.
            if Double(Float(value)) == value {
                #expect(BFloat16(Float(value)).bitPattern == expected | sign, "\(value)")
            }
        }
        for pattern in UInt16(0)..<0x7F7F {
            let low = BFloat16(bitPattern: pattern | sign).doubleValue
            let high = BFloat16(bitPattern: (pattern + 1) | sign).doubleValue
            let middle = (low + high) / 2
            let (below, above) =
                isNegative ? (middle.nextUp, middle.nextDown) : (middle.nextDown, middle.nextUp)
            check(below, pattern)
            check(middle, pattern + pattern % 2)
            check(above, pattern + 1)
        }
        // Beyond the largest finite value the next step would be 2^128.
        let scale = isNegative ? -1.0 : 1.0
        let edge = (BFloat16(bitPattern: 0x7F7F).doubleValue + 0x1p128) / 2
        check(scale * edge.nextDown, 0x7F7F)
        check(scale * edge, 0x7F80)
        check(scale * Double.greatestFiniteMagnitude, 0x7F80)
        check(scale * Double.leastNonzeroMagnitude, 0)
    }

    @Test func everyFloat16PatternSurvives() {
        let patterns = (UInt16.min ... .max).map { Float16(bitPattern: $0) }.filter { !$0.isNaN }
        let array = NDArray(patterns)
        for type in [ElementType.float32, .float64] {
            #expect(array.converted(to: type).converted(to: .float16) == array)
        }
    }

    @Test func integersAreTruncatedAndClamped() {
        let values: [Double] = [
            -1e30, -129.7, -1, -0.9, 0, 0.9, 254.99, 255, 256, 3e9, 1e30, .infinity, -.infinity,
            .nan,
        ]
        let array = NDArray(values)
        #expect(
            array.elements(as: UInt8.self)
                == [0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 0, 0])
        #expect(
            array.elements(as: Int32.self)
                == [
                    .min, -129, -1, 0, 0, 0, 254, 255, 256, .max, .max, .max, .min, 0,
                ])
        #expect(array.elements(as: Int64.self)[0] == .min)
        #expect(array.elements(as: Int64.self)[9] == 3_000_000_000)
        #expect(array.elements(as: Bool.self)[3..<6] == [true, false, true])
    }

    @Test(arguments: ElementType.allCases, ElementType.allCases)
    func smallIntegersAreExactInEveryType(from: ElementType, to: ElementType) {
        let values: [UInt8] = from == .bool || to == .bool ? [0, 1, 1, 0] : [0, 1, 2, 100, 128]
        let array = NDArray(values).converted(to: from)
        let converted = array.converted(to: to)
        #expect(array.elementType == from && converted.elementType == to)
        #expect(converted.byteCount == values.count * to.byteCount)
        #expect(converted.elements(as: UInt8.self) == values)
    }
}
