//! Our own operators for ONNX Runtime's CPU provider: what `surgery` puts into graphs and `kernels` computes.

mod encoder_attention;

use ort::operator::OperatorDomain;

pub(super) use encoder_attention::EncoderAttention;

/// The set that they are in.
pub(super) const CROSSMODAL: &str = "crossmodal";

/// The operators, for a session.
///
/// # Errors
/// When the runtime takes no operators.
pub(super) fn domain() -> ort::Result<OperatorDomain> {
    OperatorDomain::new(CROSSMODAL)?.add(EncoderAttention::new())
}
