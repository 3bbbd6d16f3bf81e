import Arrays
import Testing

@Suite struct NDArrayTests {
    @Test func copiesAreIndependent() {
        let original = NDArray([1, 2, 3, 4] as [Float], shape: [2, 2])
        var copy = original
        copy.withMutableElements(Float.self) { $0[0] = 9 }
        #expect(original.elements(as: Float.self) == [1, 2, 3, 4])
        #expect(copy.elements(as: Float.self) == [9, 2, 3, 4])
        #expect(copy != original)
    }

    @Test func writingWhenUniqueDoesNotCopy() {
        var array = NDArray(zeros: [16])
        let before = array.withUnsafeBytes { $0.baseAddress }
        array.withMutableElements(Float.self) { $0[3] = 1 }
        #expect(array.withUnsafeBytes { $0.baseAddress } == before)
    }

    @Test func reshapedArraysShareMemoryUntilWritten() {
        let array = NDArray([1, 2, 3, 4, 5, 6] as [Int32])
        var table = array.reshaped([2, 3])
        let shared = array.withUnsafeBytes { $0.baseAddress }
        #expect(table.withUnsafeBytes { $0.baseAddress } == shared)
        table.withMutableElements(Int32.self) { $0[5] = -1 }
        #expect(array.elements(as: Int32.self).last == 6)
    }

    /// Memory that something else owns is never written through.
    @Test func borrowedMemoryIsCopiedBeforeWriting() {
        final class Owner {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
            deinit { memory.deallocate() }
        }
        let owner = Owner()
        owner.memory.storeBytes(of: 7, as: Int64.self)
        var array = NDArray(
            storage: Storage(pointer: owner.memory, byteCount: 8, owner: owner), shape: [],
            elementType: .int64)
        array.withMutableElements(Int64.self) { $0[0] = 8 }
        #expect(owner.memory.load(as: Int64.self) == 7)
        #expect(array.item(as: Int64.self) == 8)
    }

    @Test(arguments: [0, 1, 3, 63, 64, 65, 1000])
    func memoryIsAlignedAndZero(_ count: Int) {
        let array = NDArray(zeros: [count], .uint8)
        array.withUnsafeBytes { bytes in
            #expect(Int(bitPattern: bytes.baseAddress) % 64 == 0)
            #expect(bytes.allSatisfy { $0 == 0 })
        }
    }

    @Test func rowsAreSlicesOfTheFirstAxis() {
        let array = NDArray((0..<24).map(Int32.init), shape: [4, 3, 2])
        let rows = array.rows(1..<3)
        #expect(rows.shape == [2, 3, 2])
        #expect(rows.elements(as: Int32.self) == (6..<18).map(Int32.init))
        #expect(array.rows(2..<2).shape == [0, 3, 2])
    }

    @Test func descriptionsShowTheEnds() {
        #expect(NDArray(scalar: Float(1.5)).description == "1.5")
        #expect(NDArray([true, false]).description == "[true, false]")
        #expect(NDArray([-Float.nan, 1, -.infinity]).description == "[nan, 1.0, -inf]")
        #expect(NDArray([BFloat16(-Float.nan)]).description == "[nan]")
        #expect(NDArray([Int64.min, .max]).description == "[\(Int64.min), \(Int64.max)]")
        #expect(
            NDArray((0..<4).map(UInt8.init), shape: [2, 2]).description == "[[0, 1],\n [2, 3]]")
        #expect(NDArray(zeros: [2, 0]).description == "[[],\n []]")
        #expect(
            NDArray((0..<9).map(Int32.init)).description == "[0, 1, 2, ..., 6, 7, 8]")
    }

    @Test func equalityIsByBytes() {
        #expect(NDArray([Float.nan]) == NDArray([Float.nan]))
        #expect(NDArray([Float(0)]) != NDArray([-Float(0)]))
        #expect(NDArray([Float(0)]) != NDArray([Float(0)], shape: [1, 1]))
        #expect(NDArray([Int32(0)]) != NDArray([Float(0)]))
    }

    @Test func mistakesTrap() async {
        await #expect(processExitsWith: .failure) { _ = NDArray([Float(1)], shape: [2]) }
        await #expect(processExitsWith: .failure) { _ = NDArray(zeros: [-1]) }
        await #expect(processExitsWith: .failure) { _ = NDArray(zeros: [6]).reshaped([4]) }
        await #expect(processExitsWith: .failure) { _ = NDArray(zeros: [6]).rows(5..<7) }
        await #expect(processExitsWith: .failure) {
            NDArray(zeros: [6]).withElements(Int32.self) { _ in }
        }
    }
}
