//! What our own operators compute, on plain slices; `operators` gives them to the runtime.
//!
//! The code is written over [`lanes`], sixteen floats at once; [`widest`] compiles a function for AVX-512 and for any processor. A
//! number is always summed in the same order, whatever else is computed beside it and by how many threads: the answer to a prompt
//! has the same bits alone and in company, as long as its numbers are finite.

pub(super) mod attention;
#[cfg(target_arch = "x86_64")]
mod bf16;
pub(super) mod cache;
pub(super) mod cached;
mod exp;
mod factors;
mod lanes;
mod linear;
mod panels;

pub(super) use lanes::LANES;
pub(super) use linear::{Activation, Epilogue, depths, multiply};
pub(super) use panels::{PANEL, Panels};

/// Whether this processor has the instructions that the kernels are made for. Without, the runtime's own are faster.
pub(super) fn pay() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("fma")
        && std::arch::is_x86_feature_detected!("f16c");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Whether this processor multiplies and adds bfloat16, too.
pub(super) fn multiplies_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return pay()
        && std::arch::is_x86_feature_detected!("avx512bf16")
        && std::arch::is_x86_feature_detected!("avx512bw");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// Defines a function that is generic over its [`Lanes`](lanes::Lanes), and calls it with the widest that the processor has. What
/// it calls must be inlined into it to gain by them.
macro_rules! widest {
    ($(#[$about:meta])* $access:vis fn $name:ident<$lanes:ident $(, const $constant:ident: usize)?>(
        $($input:ident: $kind:ty),* $(,)?
    ) $(-> $output:ty)? $body:block) => {
        $(#[$about])*
        $access fn $name $(<const $constant: usize>)? ($($input: $kind),*) $(-> $output)? {
            #[inline(always)]
            fn computed<$lanes: $crate::model::kernels::lanes::Lanes $(, const $constant: usize)?>(
                $($input: $kind),*
            ) $(-> $output)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,fma")]
            fn wide $(<const $constant: usize>)? ($($input: $kind),*) $(-> $output)? {
                computed::<$crate::model::kernels::lanes::Avx512 $(, $constant)?>($($input),*)
            }

            #[cfg(target_arch = "x86_64")]
            if $crate::model::kernels::pay() {
                #[expect(unsafe_code, reason = "the processor was asked for the instructions just before")]
                // SAFETY: `pay` says that the processor has them.
                return unsafe { wide $(::<$constant>)? ($($input),*) };
            }
            computed::<$crate::model::kernels::lanes::Portable $(, $constant)?>($($input),*)
        }
    };
}
use widest;

/// Defines a function that is generic over its [`Factors`](factors::Factors), and calls it with pairs of bfloat16.
///
/// # Panics
/// When the processor does not multiply them.
macro_rules! with_bf16 {
    (fn $name:ident<$factors:ident>($($input:ident: $kind:ty),* $(,)?) $body:block) => {
        fn $name($($input: $kind),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bf16,fma")]
            fn wide($($input: $kind),*) {
                type $factors = $crate::model::kernels::bf16::Pairs;
                $body
            }

            assert!($crate::model::kernels::multiplies_bf16(), "this processor does not multiply bfloat16");
            #[cfg(target_arch = "x86_64")]
            #[expect(unsafe_code, reason = "the processor was asked for the instructions just before")]
            // SAFETY: `multiplies_bf16` says that the processor has them.
            unsafe {
                wide($($input),*);
            }
            #[cfg(not(target_arch = "x86_64"))]
            let _ = ($($input),*);
        }
    };
}
use with_bf16;
