import CKernels
import Testing

@Suite("Levels")
struct LevelTests {
    @Test("A limit lowers the level of this thread and is lifted again")
    func limit() {
        let highest = ek_highest_level()
        #expect(ek_level() == highest)
        ek_limit_level(EK_LEVEL_BASELINE)
        #expect(ek_level() == EK_LEVEL_BASELINE)
        ek_limit_level(-1)
        #expect(ek_level() == highest)
    }

    @Test("Input gradients have the same bits at levels 3 and 4", arguments: Shape.all)
    func sameBits(shape: Shape) {
        guard ek_highest_level() == EK_LEVEL_V4 else { return }
        defer { ek_limit_level(-1) }
        var numbers = Generator(9)
        let x = numbers.floats(shape.count, offset: 3)
        let dy = numbers.floats(shape.count)
        let parameters = (0..<4).map { _ in
            numbers.floats(max(shape.channels, shape.outer)).map(Double.init)
        }
        let results = [EK_LEVEL_V3, EK_LEVEL_V4].map { level in
            ek_limit_level(level)
            var perChannel = [Float](repeating: 9, count: shape.count)
            ek_centred_input_gradient_f32(
                dy, x, shape.outer, shape.channels, shape.inner, parameters[0], parameters[1],
                parameters[2], parameters[3], nil, nil, nil, EK_IDENTITY, 0, &perChannel, nil, 0)
            var perRow = perChannel
            ek_row_centred_input_gradient_f32(
                dy, x, shape.outer, shape.channels * shape.inner, 1, parameters[0], x,
                parameters[1], parameters[2], parameters[3], &perRow, 0)
            return [perChannel, perRow]
        }
        #expect(results[0] == results[1])
    }
}
