//! Our own operators for ONNX Runtime's CPU provider: what `surgery` puts into graphs and `kernels` computes.

mod cached_attention;
mod encoder_attention;
mod linear;

use std::sync::Arc;

use ort::operator::OperatorDomain;

pub(super) use cached_attention::{CachedAttention, Pass};
pub(super) use encoder_attention::EncoderAttention;
pub(super) use linear::Linear;

/// The set that they are in.
pub(super) const CROSSMODAL: &str = "crossmodal";

/// The operators, for a session whose passes are told by `pass`.
///
/// # Errors
/// When the runtime takes no operators.
pub(super) fn domain(pass: &Arc<Pass>) -> ort::Result<OperatorDomain> {
    let domain = OperatorDomain::new(CROSSMODAL)?.add(EncoderAttention::default())?;
    domain.add(CachedAttention { pass: pass.clone() })?.add(Linear)
}
