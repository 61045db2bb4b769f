//! What our own operators compute, on plain slices; `operators` gives them to the runtime.
//!
//! The code is plain Rust over arrays of [`LANES`] floats, in which the compiler finds the processor's widest instructions:
//! [`widest`] compiles a function a second time for AVX-512. A number is always summed in the same order, whatever else is
//! computed beside it and by how many threads: the answer to a prompt has the same bits alone and in company.

pub(super) mod arithmetic;
pub(super) mod attention;
#[cfg(target_arch = "x86_64")]
pub(super) mod bf16;
mod exp;

/// Floats that one instruction works on.
pub(super) const LANES: usize = 16;

/// Whether this processor has the instructions that the kernels are made for. Without, the runtime's own are faster.
pub(super) fn pay() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512f") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Whether this processor multiplies and adds bfloat16.
pub(super) fn multiplies_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return bf16::Bf16::of_processor().is_some();
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Defines a function that runs with the widest instructions that the processor has. What it calls must be inlined into it to
/// gain by them.
macro_rules! widest {
    ($(#[$about:meta])* $access:vis fn $name:ident($($input:ident: $kind:ty),* $(,)?) $(-> $output:ty)? $body:block) => {
        $(#[$about])*
        $access fn $name($($input: $kind),*) $(-> $output)? {
            #[inline(always)]
            fn plain($($input: $kind),*) $(-> $output)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,fma")]
            fn wide($($input: $kind),*) $(-> $output)? {
                plain($($input),*)
            }

            #[cfg(target_arch = "x86_64")]
            if $crate::model::kernels::pay() {
                #[expect(unsafe_code, reason = "the processor was asked for the instructions just before")]
                // SAFETY: `pay` says that the processor has them.
                return unsafe { wide($($input),*) };
            }
            plain($($input),*)
        }
    };
}
use widest;
