//! Paired t-tests between modalities, on the accuracy of items.

use super::comparison::Comparison;
use crate::analysis::estimates::{mean, mean_by_group};
use crate::analysis::statistics::bootstrap::GroupBootstrap;
use crate::analysis::statistics::student_t::paired_test;
use crate::analysis::summary::{Modality, ModalityTest};

/// Text against image, text against mixed, image against mixed.
pub(super) fn tests(complete: &[&Comparison], resampling: &GroupBootstrap) -> Vec<ModalityTest> {
    [(Modality::Text, Modality::Image), (Modality::Text, Modality::Mixed), (Modality::Image, Modality::Mixed)]
        .map(|(first, second)| test(complete, first, second, resampling))
        .into()
}

fn test(
    complete: &[&Comparison],
    first: Modality,
    second: Modality,
    resampling: &GroupBootstrap,
) -> ModalityTest {
    let differences = differences(complete, first, second);
    let values: Vec<f64> = differences.iter().map(|(_, difference)| *difference).collect();
    let found = paired_test(&values);
    ModalityTest {
        first,
        second,
        items: values.len() as u64,
        difference: mean_by_group(&differences, resampling),
        t: found.map(|test| test.t),
        degrees_of_freedom: (values.len() as u64).saturating_sub(1),
        p_value: found.map(|test| test.p_value),
    }
}

/// (group, mean of right in `first` - mean of right in `second`) of every item that has both, over its renderings.
fn differences<'a>(complete: &[&Comparison<'a>], first: Modality, second: Modality) -> Vec<(&'a str, f64)> {
    let of_item = |item: &[&Comparison<'a>]| {
        let both = item.iter().filter_map(|one| one.right(first).zip(one.right(second)));
        let (firsts, seconds): (Vec<f64>, Vec<f64>) =
            both.map(|(first, second)| (f64::from(u8::from(first)), f64::from(u8::from(second)))).unzip();
        Some((item[0].place.group, mean(&firsts)? - mean(&seconds)?))
    };
    complete.chunk_by(|one, next| one.place.item == next.place.item).filter_map(of_item).collect()
}
