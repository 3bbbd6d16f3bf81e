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
}
