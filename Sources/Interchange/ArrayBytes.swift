import Arrays

/// The bytes that elements of a shape from a file take, or nil when an extent is negative or the
/// product of the extents overflows (zeros left out, so that strides cannot overflow either).
package func checkedByteCount(_ shape: [Int], elementBytes: Int) -> Int? {
    var extent = elementBytes
    var isEmpty = false
    for dimension in shape {
        guard dimension >= 0 else { return nil }
        if dimension == 0 {
            isEmpty = true
            continue
        }
        let (product, overflow) = extent.multipliedReportingOverflow(by: dimension)
        if overflow { return nil }
        extent = product
    }
    return isEmpty ? 0 : extent
}

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
