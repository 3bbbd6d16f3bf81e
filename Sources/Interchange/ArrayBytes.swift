import Arrays

extension NDArray {
    /// Reverses the bytes of every element.
    package mutating func swapByteOrder() {
        func swap<I: FixedWidthInteger>(_: I.Type) {
            withUnsafeMutableBytes { bytes in
                let words = bytes.assumingMemoryBound(to: I.self)
                for index in words.indices { words[index] = words[index].byteSwapped }
            }
        }
        switch elementType.byteCount {
        case 2: swap(UInt16.self)
        case 4: swap(UInt32.self)
        case 8: swap(UInt64.self)
        default: break
        }
    }

    /// Makes any non-zero byte of a Bool array 1, the only other value a Bool may have in memory.
    package mutating func normalizeBooleans() {
        guard elementType == .bool else { return }
        withUnsafeMutableBytes { bytes in
            for index in bytes.indices where bytes[index] > 1 { bytes[index] = 1 }
        }
    }
}
