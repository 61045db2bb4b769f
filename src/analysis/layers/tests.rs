//! Behaviour of the analysis on small tables made here.

use super::*;
use crate::analysis::following;
use crate::analysis::summary::{FollowingSettings, LayerSet};
use crate::analysis::tables::{Class, Follows};

/// A case of group, dv and dt, whose layers are these letters (v, t, o, ?), with its letter's number as difference.
struct Made {
    rows: Vec<FollowingRow>,
    table: LayerTable,
}

impl Made {
    fn new() -> Self {
        Self { rows: Vec::new(), table: LayerTable { run: "run".into(), ..LayerTable::default() } }
    }

    fn case(mut self, group: &str, (dv, dt): (i32, i32), dh_rel: Option<f64>, layers: &str) -> Self {
        let item_id = format!("{group}-dv{dv}-dt{dt}");
        let point = |(at, letter)| LayerPoint {
            layer: at as i32 + 1,
            class: match letter {
                'v' => Some(Class::Vision),
                't' => Some(Class::Text),
                'o' => Some(Class::Other),
                _ => None,
            },
            logit_difference: (letter != '?').then_some(at as f64),
        };
        if !layers.is_empty() {
            let points = layers.chars().enumerate().map(point).collect();
            self.table.cases.insert((item_id.clone(), NO_CONTROL.into()), points);
        }
        let text = dh_rel.is_some_and(|x| x < 0.0);
        self.rows.push(FollowingRow {
            run: "run".into(),
            item_id,
            group_id: group.into(),
            control: NO_CONTROL.into(),
            dv: Some(dv),
            dt: Some(dt),
            expected_vision: Some("red".into()),
            expected_text: Some("blue".into()),
            y_conflict: Some(if text { "blue" } else { "red" }.into()),
            h_vision: Some(1.0),
            h_text: Some(1.0),
            dh_rel,
            follows: Some(if text { Follows::Text } else { Follows::Vision }),
            analysed: true,
            failed: false,
        });
        self
    }

    /// The last case becomes one of this control.
    fn of_control(mut self, control: &str) -> Self {
        if let Some(row) = self.rows.last_mut() {
            let points = self.table.cases.remove(&(row.item_id.clone(), NO_CONTROL.into())).unwrap();
            (row.control, row.analysed) = (control.into(), false);
            self.table.cases.insert((row.item_id.clone(), control.into()), points);
        }
        self
    }

    fn analysed(&self, settings: LayersSettings) -> LayersAnalysis {
        let of = FollowingSettings { bootstrap: 100, permutations: 0, ..FollowingSettings::default() };
        let following = following::analyze_rows("m", "s", &self.rows, &[], &of).unwrap();
        analyze_rows(&following, &self.rows, &self.table, &settings).unwrap()
    }
}

/// The curve crosses one half at 0.
fn made() -> Made {
    Made::new()
        .case("a", (0, 0), Some(-1.0), "tttt")
        .case("a", (0, 1), Some(-0.5), "vttt")
        .case("a", (0, 2), Some(0.5), "votv")
        .case("b", (0, 0), Some(-0.5), "tvtv")
        .case("b", (0, 1), Some(1.0), "ovvv")
        .case("b", (0, 2), Some(1.5), "????")
        .case("b", (1, 0), None, "tvvv")
        .case("b", (1, 1), Some(1.25), "")
        .case("c", (0, 0), None, "vtvt")
        .of_control("text-irrelevant")
}

fn values(of: &LayersAnalysis) -> Vec<(&str, u64, Option<f64>)> {
    of.sets
        .iter()
        .map(|set| (set.name.as_str(), set.cases, set.oscillations.map(|mean| mean.value)))
        .collect()
}

#[test]
fn cases_fall_into_regions_around_the_balance_point_and_controls_are_counted_apart() {
    let found = made().analysed(LayersSettings::default());
    assert_eq!(found.balance_point, Some(0.0));
    assert_eq!((found.analysed, found.probed, found.unplaced, found.layers), (8, 7, 1, 4));
    // |dh_rel| <= 0.5 is ambiguous, the edge too: 1, 2 and 3 switches. Clear: 0 and 0; one case has no class at all.
    let expected = [
        ("conflict", 6, Some(7.0 / 6.0)),
        ("ambiguous", 3, Some(2.0)),
        ("clear", 2, Some(0.0)),
        ("text-irrelevant", 1, Some(3.0)),
    ];
    assert_eq!(values(&found), expected);
    assert_eq!(found.difference.unwrap().value, 2.0);
    let narrow = made().analysed(LayersSettings { ambiguous_width: 0.4, ..LayersSettings::default() });
    assert_eq!(narrow.set(LayerSet::AMBIGUOUS).unwrap().cases, 0);
    assert_eq!(narrow.difference, None);
}

#[test]
fn a_curve_that_does_not_cross_has_no_regions() {
    let always = Made::new().case("a", (0, 0), Some(0.5), "vv").case("b", (0, 0), Some(0.7), "tv");
    let found = always.analysed(LayersSettings::default());
    assert_eq!((found.balance_point, found.difference), (None, None));
    assert_eq!(values(&found), [("conflict", 2, Some(0.5))]);
}

#[test]
fn a_cell_is_a_mean_where_it_holds_enough_cases() {
    let found = made().analysed(LayersSettings { min_cell_cases: 2, ..LayersSettings::default() });
    assert_eq!(found.heat_map.len(), 4 * 16);
    let cell = |layer: i32, low: f64| {
        found.heat_map.iter().find(|cell| (cell.layer, cell.low) == (layer, low)).unwrap()
    };
    // Two cases lie in [-0.5, -0.25), and the made difference is the layer's place from 0.
    assert_eq!((cell(3, -0.5).cases, cell(3, -0.5).logit_difference), (2, Some(2.0)));
    assert_eq!((cell(3, 1.0).cases, cell(3, 1.0).logit_difference), (1, None));
    assert_eq!(cell(1, 1.5).cases, 0, "a difference that is not known does not count");
}

#[test]
fn classes_are_counted_layer_by_layer() {
    let found = made().analysed(LayersSettings::default());
    let classes = &found.set(LayerSet::CONFLICT).unwrap().classes;
    let counts: Vec<_> = classes.iter().map(|at| (at.layer, at.vision, at.text, at.other)).collect();
    assert_eq!(counts, [(1, 2, 3, 1), (2, 3, 2, 1), (3, 2, 4, 0), (4, 4, 2, 0)]);
}

#[test]
fn the_example_is_the_image_whose_cases_switch_most() {
    let three = |made: Made, group: &str, layers: [&str; 3]| {
        layers
            .into_iter()
            .zip(0..)
            .fold(made, |made, (layers, dt)| made.case(group, (2, dt), Some(0.1), layers))
    };
    let made = three(Made::new(), "a", ["vvvv", "tttt", "vovt"]);
    let made = three(made, "b", ["vtvt", "vvvv", "vvvv"]);
    let made = three(made, "c", ["vtvt", "vvvv", "vvov"]);
    let made = made.case("d", (2, 0), Some(0.1), "vtvtvtvt");
    let example = made.analysed(LayersSettings::default()).trajectories.unwrap();
    assert_eq!(
        (example.group_id.as_str(), example.dv),
        ("c", 2),
        "of two with three switches, the one with more changes"
    );
    let cases: Vec<_> = example.cases.iter().map(|case| (case.dt, case.oscillations)).collect();
    assert_eq!(cases, [(0, 3), (1, 0), (2, 0)]);
    assert_eq!(example.cases[2].points[2].class, Some(Class::Other));
}

#[test]
fn settings_out_of_range_are_refused() {
    let made = made();
    let following =
        following::analyze_rows("m", "s", &made.rows, &[], &FollowingSettings::default()).unwrap();
    for (settings, said) in [
        (
            LayersSettings { ambiguous_width: 0.0, ..LayersSettings::default() },
            "ambiguous_width must be above 0",
        ),
        (LayersSettings { ambiguous_width: f64::NAN, ..LayersSettings::default() }, "but it is NaN"),
        (
            LayersSettings { min_cell_cases: 0, ..LayersSettings::default() },
            "min_cell_cases must be at least 1",
        ),
    ] {
        let error = analyze_rows(&following, &made.rows, &made.table, &settings).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}
