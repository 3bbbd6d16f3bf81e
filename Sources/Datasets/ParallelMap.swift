import Dispatch

/// Results for all elements, in their order, computed on so many threads at most. The outcome does
/// not depend on the number of threads.
func parallelMap<Input: Sendable, Output: Sendable, Failure: Error>(
    _ inputs: [Input], threads: Int,
    _ transform: @Sendable (Input) throws(Failure) -> Output
) -> [Result<Output, Failure>] {
    let slots = UnsafeMutableBufferPointer<Result<Output, Failure>>.allocate(capacity: inputs.count)
    defer { slots.deallocate() }
    let target = SendableSlots(slots: slots)
    let lanes = min(threads, inputs.count)
    // Each lane owns every `lanes`-th slot.
    DispatchQueue.concurrentPerform(iterations: lanes) { lane in
        for index in stride(from: lane, to: inputs.count, by: lanes) {
            let result: Result<Output, Failure>
            do throws(Failure) {
                result = .success(try transform(inputs[index]))
            } catch {
                result = .failure(error)
            }
            target.slots.initializeElement(at: index, to: result)
        }
    }
    defer { slots.deinitialize() }
    return Array(slots)
}

/// Slots of which no two threads touch the same one.
private struct SendableSlots<Element>: @unchecked Sendable {
    let slots: UnsafeMutableBufferPointer<Element>
}

/// Memory that threads write to in parts that do not overlap.
struct SendableBytes: @unchecked Sendable {
    private let bytes: UnsafeMutableRawBufferPointer

    init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    func part(_ start: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: bytes[start..<(start + count)])
    }
}
