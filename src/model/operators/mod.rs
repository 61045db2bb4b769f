//! Our own operators for ONNX Runtime's CPU provider: what `surgery` puts into graphs and `kernels` computes.

mod cached_attention;
#[cfg(target_arch = "x86_64")]
mod encoder_attention;
mod linear;

use std::sync::Arc;

use ort::operator::OperatorDomain;

pub(super) use cached_attention::{CachedAttention, Pass};
#[cfg(target_arch = "x86_64")]
use encoder_attention::EncoderAttention;
pub(super) use linear::Linear;

/// The set that they are in.
pub(super) const CROSSMODAL: &str = "crossmodal";

/// The name of attention without a mask.
pub(super) const ENCODER_ATTENTION: &str = "EncoderAttention";

/// The operators, for a session whose passes are told by `pass`.
///
/// # Errors
/// When the runtime takes no operators.
pub(super) fn domain(pass: &Arc<Pass>) -> ort::Result<OperatorDomain> {
    let domain = OperatorDomain::new(CROSSMODAL)?;
    #[cfg(target_arch = "x86_64")]
    let domain = domain.add(EncoderAttention::default())?;
    domain.add(CachedAttention { pass: pass.clone() })?.add(Linear)
}
