//! Figure: the curve P(text following | dH_rel) over all analysed cases.

use super::curve_plot::{self, Size};
use super::{DH_REL, Swatch, framed, legend, nothing};
use crate::analysis::summary::{Curve, FollowingSettings};
use crate::report::number;
use crate::report::table::Table;

/// The figure, or why there is none.
#[must_use]
pub fn figure(id: &str, curve: Option<&Curve>, settings: &FollowingSettings) -> String {
    let Some(curve) = curve.filter(|curve| curve.cases > 0) else {
        return nothing(
            "There is no curve: no analysed case follows the text or the image and has a relative uncertainty.",
        );
    };
    let size = Size { width: 720.0, height: 450.0, radius: 11.0 };
    let drawing =
        curve_plot::draw(&format!("{id}-curve"), "Text following over relative uncertainty", curve, size);
    let caption = format!(
        "P(text following | {DH_REL}) among the {} cases that follow the text or the image. Bins are {} wide; a bin with \
         fewer than {} cases shows no point. Whiskers and the band around the balance point are {} intervals. {}",
        number::count(curve.cases),
        number::fixed(settings.bin_width, 2),
        number::count(settings.min_bin_cases),
        confidence(settings),
        monotone_words(curve, settings),
    );
    framed("curve", &format!("{}{drawing}", curve_legend()), &caption, Some(&numbers(curve)))
}

/// What the marks of a curve mean.
#[must_use]
pub fn curve_legend() -> String {
    legend(&[
        (Swatch::Dot, "bin: share with interval, area by cases"),
        (Swatch::Line("isotonic"), "isotonic fit"),
        (Swatch::Line("logistic"), "logistic fit"),
        (Swatch::Line("balance-line"), "balance point"),
        (Swatch::Line("half"), "one half"),
    ])
}

fn confidence(settings: &FollowingSettings) -> String {
    format!("{}\u{a0}%", number::fixed(settings.confidence * 100.0, 0))
}

fn monotone_words(curve: &Curve, settings: &FollowingSettings) -> String {
    let monotone = curve.monotonicity.map_or_else(
        || "Fewer than two bins are filled, so nothing can be said about a falling curve.".to_string(),
        |monotonicity| {
            let rho = monotonicity
                .spearman_rho
                .map(|rho| format!("; Spearman ρ {} over cases", number::fixed(rho, 2)))
                .unwrap_or_default();
            format!(
                "The bins lie {} from their isotonic fit on average (permutation <i>p</i>\u{a0}{}){rho}.",
                number::fixed(monotonicity.distance, 3),
                escaped_p(monotonicity.p_value, settings.permutations),
            )
        },
    );
    let logistic = curve.logistic.map(|logistic| {
        let balance = logistic
            .balance_point
            .map(|at| format!(", which puts the balance point at {}", number::estimate(&at, 2)))
            .unwrap_or_default();
        format!(" The logistic fit has slope {}{balance}.", number::fixed(logistic.slope, 2))
    });
    format!(
        "{monotone}{}",
        logistic.unwrap_or_else(|| {
            " There is no logistic fit (the classes are separable, or one is absent).".to_string()
        })
    )
}

fn escaped_p(value: f64, permutations: u32) -> String {
    crate::report::escape::html(&number::p_value(value, permutations))
}

fn numbers(curve: &Curve) -> String {
    let mut table = Table::new(&["bin", "cases", "mean dH<sub>rel</sub>", "text following"]);
    for bin in curve.bins.iter().filter(|bin| bin.cases > 0) {
        table.row([
            format!("{} to {}", number::fixed(bin.low, 2), number::fixed(bin.high, 2)),
            number::count(bin.cases),
            number::optional(bin.mean_dh_rel, 2),
            bin.text_following
                .map_or_else(|| "too few cases".to_string(), |share| number::estimate(&share, 3)),
        ]);
    }
    table.finish()
}
