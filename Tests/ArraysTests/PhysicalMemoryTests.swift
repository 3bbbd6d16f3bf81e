import Arrays
import Testing

@Suite("Memory of the machine")
struct PhysicalMemoryTests {
    @Test("There is some, and more than that is an error in a sentence")
    func limits() throws {
        let bytes = PhysicalMemory.byteCount
        #expect(bytes > 64 << 20 && bytes < 1 << 50)
        #expect(PhysicalMemory.heldByteCount < bytes)
        try PhysicalMemory.require(0, for: "nothing")
        let error = #expect(throws: MemoryError.self) {
            try PhysicalMemory.require(Double(bytes) + 1, for: "the model")
        }
        #expect(error?.availableBytes == bytes)
        let enormous = #expect(throws: MemoryError.self) {
            try PhysicalMemory.require(1e300, for: "the model")
        }
        #expect(enormous?.neededBytes == 1e300)
        let text = "\(MemoryError(what: "it", neededBytes: 57e12, availableBytes: 15_960_000_000))"
        #expect(text == "it needs 57000 GB of memory, this machine has 16.0 GB")
    }
}
