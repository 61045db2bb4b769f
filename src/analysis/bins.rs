//! The bins of dH_rel on [-2, 2]: the same for the curve, for the heat map over layers, and for a report's cases.

/// dH_rel lies between `-LIMIT` and `LIMIT`.
pub(crate) const LIMIT: f64 = 2.0;

/// Edges of the bins; the last bin is narrower where the width does not divide 4.
pub(crate) fn edges(width: f64) -> Vec<f64> {
    let bins = ((2.0 * LIMIT / width) - 1e-9).ceil() as usize;
    let mut edges: Vec<f64> = (0..bins).map(|bin| width.mul_add(bin as f64, -LIMIT)).collect();
    edges.push(LIMIT);
    edges
}

/// The bin of a dH_rel: its lower edge is included, its upper one is not, but for the last.
pub(crate) fn bin_of(edges: &[f64], dh_rel: f64) -> usize {
    edges[1..edges.len() - 1].partition_point(|edge| *edge <= dh_rel)
}
