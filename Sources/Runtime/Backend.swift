/// Who computes.
public enum Backend: String, Sendable, CaseIterable {
    /// Phases over shards, SIMD kernels, oneDNN, worker threads.
    case fast
    /// Plain Swift in Double, one thread: the oracle.
    case reference
}
