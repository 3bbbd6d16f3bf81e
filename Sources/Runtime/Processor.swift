import CKernels

/// What the processor can do that decides how a training computes.
public enum Processor {
    /// Whether it multiplies bfloat16 numbers itself; without that they would be emulated, slower than
    /// float32.
    public static var hasBFloat16: Bool { ek_has_bf16() != 0 }
}
