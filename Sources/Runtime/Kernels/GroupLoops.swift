import Arrays
import CKernels

/// The C loops that the kernels of layer, group and instance norm call, for one element type. What they
/// take is written at their declarations (`ek_rows.h`, `ek_centred.h`).
struct GroupLoops<T> {
    typealias Source = UnsafePointer<T>?
    typealias Target = UnsafeMutablePointer<T>?
    typealias Floats = UnsafePointer<Float>?
    typealias Doubles = UnsafePointer<Double>?
    typealias Sums = UnsafeMutablePointer<Double>?

    let rowMoments: (Source, Int, Int, Sums, Sums, Int32) -> Void
    let rowSquares: (Source, Int, Int, Sums, Int32) -> Void
    let rowScale: (Source, Int, Int, Int, Doubles, Doubles, Floats, Floats, Target, Int32) -> Void
    let rowSums:
        (
            Source, Source, Int, Int, Int, Doubles, Doubles, Floats, Sums, Sums, Sums, Sums, Int32
        ) -> Void
    let rowInputGradient:
        (
            Source, Source, Int, Int, Int, Doubles, Floats, Doubles, Doubles, Doubles, Target, Int32
        ) -> Void

    let moments: (Source, Floats, Int, Int, Int, Sums) -> Void
    let scale:
        (
            Source, Int, Int, Int, Doubles, Doubles, Doubles, Source, Int32, Float, Target, Int32
        ) -> Void
    let sums:
        (
            Source, Source, Int, Int, Int, Doubles, Doubles, Doubles, Source, Int32, Float, Target,
            Int32, Sums
        ) -> Void
    let inputGradient:
        (
            Source, Source, Int, Int, Int, Doubles, Doubles, Doubles, Doubles, Doubles, Doubles,
            Source, Int32, Float, Target, Target, Int32
        ) -> Void
}

extension GroupLoops<Float> {
    static var float32: Self {
        Self(
            rowMoments: ek_row_moments_f32, rowSquares: ek_row_square_sums_f32,
            rowScale: ek_row_centred_scale_f32, rowSums: ek_row_gradient_sums_f32,
            rowInputGradient: ek_row_centred_input_gradient_f32, moments: ek_moments_f32,
            scale: ek_centred_scale_f32, sums: ek_centred_sums_f32,
            inputGradient: ek_centred_input_gradient_f32)
    }
}

extension GroupLoops<UInt16> {
    static var bfloat16: Self {
        Self(
            rowMoments: ek_row_moments_bf16, rowSquares: ek_row_square_sums_bf16,
            rowScale: ek_row_centred_scale_bf16, rowSums: ek_row_gradient_sums_bf16,
            rowInputGradient: ek_row_centred_input_gradient_bf16, moments: ek_moments_bf16,
            scale: ek_centred_scale_bf16, sums: ek_centred_sums_bf16,
            inputGradient: ek_centred_input_gradient_bf16)
    }
}
