//! Our own operators for ONNX Runtime's CPU provider: what `surgery` puts into graphs and `kernels` computes.

mod angles;
mod cached_attention;
mod encoder_attention;
mod heads;
mod linear;
mod stored;

use std::sync::Arc;

use ort::environment::Environment;
use ort::operator::OperatorDomain;
use ort::session::Session;
use ort::{Error, Result};

pub(super) use cached_attention::{CachedAttention, Pass};
pub(super) use encoder_attention::EncoderAttention;
pub(super) use linear::Linear;
pub(super) use stored::StoredWeights;

/// The set that they are in.
pub(super) const CROSSMODAL: &str = "crossmodal";

/// The operators, for a session whose passes are told by `pass` and whose `weights` others may have, too.
///
/// # Errors
/// When the runtime takes no operators.
pub(super) fn domain(pass: &Arc<Pass>, weights: &Arc<StoredWeights>) -> Result<OperatorDomain> {
    let domain = OperatorDomain::new(CROSSMODAL)?.add(EncoderAttention::default())?;
    domain.add(CachedAttention::new(pass))?.add(Linear { weights: weights.clone() })
}

/// Opens a session with the set, of a graph that does nothing. The runtime enters a set's name into a list of the whole process as
/// the first session with it is opened, and two that are opened at once would both enter it, which it refuses.
///
/// # Errors
/// When the runtime takes no operators.
pub(super) fn make_known(environment: &Environment) -> Result<()> {
    /// `y = Identity(x)`, scalars, as an ONNX file.
    const NOTHING: &[u8] = b"\x08\x08:/\n\x10\n\x01x\x12\x01y\"\x08Identity\x12\x01gZ\x0b\n\x01x\x12\x06\n\x04\x08\x01\x12\x00b\x0b\n\x01y\x12\x06\n\x04\x08\x01\x12\x00B\x04\n\x00\x10\x11";
    let builder = Session::builder(environment)?;
    let mut builder = builder
        .with_operators(domain(&Arc::default(), &Arc::default())?)
        .map_err(|error| Error::new(error.to_string()))?;
    builder.commit_from_memory(NOTHING).map(drop)
}
