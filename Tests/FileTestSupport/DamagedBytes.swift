import Arrays
import Interchange

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where random tests begin: `EVENKEEL_TEST_SEED`, or a new number each time. Failures print it.
public let testSeed: UInt64 =
    getenv("EVENKEEL_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0...999_999)

extension PhiloxGenerator {
    /// Extents of 0 to 5.
    public mutating func shape(maximumRank: Int = 4) -> Shape {
        Shape(
            (0..<Int.random(in: 0...maximumRank, using: &self)).map { _ in
                Int.random(in: 0...5, using: &self)
            })
    }

    /// Any bytes (0 and 1 for Bool).
    public mutating func array(_ shape: Shape, _ type: ElementType) -> NDArray {
        var array = NDArray(zeros: shape, type)
        array.withUnsafeMutableBytes { bytes in
            for index in bytes.indices {
                bytes[index] = UInt8.random(in: 0...(type == .bool ? 1 : 255), using: &self)
            }
        }
        return array
    }

    /// Damages bytes: flips, cuts, insertions, repeated pieces, and long numbers in place of
    /// digits.
    public mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) where !result.isEmpty {
            // Headers stand in front: aim there more often.
            let reach = Bool.random(using: &self) ? min(result.count, 160) : result.count
            let at = Int.random(in: 0..<reach, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0: result[at] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 1: result[at] = .random(in: 0...255, using: &self)
            case 2: result.removeLast(result.count - at)
            case 3:
                let end = Int.random(in: at..<min(result.count, at + 64), using: &self)
                result.insert(contentsOf: result[at...end], at: at)
            case 4: result.remove(at: at)
            default:
                let numbers = [
                    "99999999999999999999", "4611686018427387904", "1099511627776", "-1", "1e9",
                    "0",
                ]
                let digit = result[at...].firstIndex { $0 >= 0x30 && $0 <= 0x39 } ?? at
                result.replaceSubrange(
                    digit..<(digit + 1), with: numbers.randomElement(using: &self)!.utf8)
            }
        }
        return result
    }
}

/// The error that reading is expected to throw.
public func failure<R>(_ body: () throws(FileError) -> R) -> FileError? {
    do throws(FileError) {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
