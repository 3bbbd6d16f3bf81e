/// The number of elements of a shape that comes from outside, or nil when an extent is negative or the product
/// of the extents overflows (zeros left out, so that strides cannot overflow either).
package func checkedElementCount(_ extents: some Sequence<Int>) -> Int? {
    checkedByteCount(extents, elementBytes: 1)
}

/// The bytes that elements of such a shape take, or nil likewise.
package func checkedByteCount(_ extents: some Sequence<Int>, elementBytes: Int) -> Int? {
    var total = elementBytes
    var isEmpty = false
    for extent in extents {
        guard extent >= 0 else { return nil }
        if extent == 0 {
            isEmpty = true
            continue
        }
        let (product, overflows) = total.multipliedReportingOverflow(by: extent)
        if overflows { return nil }
        total = product
    }
    return isEmpty ? 0 : total
}
